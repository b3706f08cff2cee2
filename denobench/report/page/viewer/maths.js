// Scores and maps, from the same numbers and by the same definitions as the run's own.

/** @typedef {import("./data.js").Picture} Picture */
/** @typedef {{x: number, y: number, width: number, height: number}} Region */
/** @typedef {(place: number) => boolean} Part which pixels of a region count */

/** @type {Part} */
const everywhere = () => true;

/**
 * Peak signal-to-noise ratio in dB of a region, full scale 1.0.
 * @param {Picture} clean
 * @param {Picture} other
 * @param {Region} region
 * @param {Part} part
 */
export function psnr(clean, other, region, part = everywhere) {
  let sum = 0;
  let count = 0;
  for (let y = region.y; y < region.y + region.height; y++) {
    for (let x = region.x; x < region.x + region.width; x++) {
      const place = y * clean.width + x;
      if (!part(place)) continue;
      sum += (clamp(other.values[place]) - clean.values[place]) ** 2;
      count++;
    }
  }
  const mean = sum / count;
  return mean === 0 ? Infinity : -10 * Math.log10(mean);
}

/**
 * Mean and standard deviation of a region.
 * @param {Picture} one
 * @param {Region} region
 * @param {Part} part
 */
export function moments(one, region, part = everywhere) {
  let sum = 0;
  let squares = 0;
  let count = 0;
  for (let y = region.y; y < region.y + region.height; y++) {
    for (let x = region.x; x < region.x + region.width; x++) {
      const place = y * one.width + x;
      if (!part(place)) continue;
      const value = one.values[place];
      sum += value;
      squares += value * value;
      count++;
    }
  }
  const mean = sum / count;
  return { mean, sd: Math.sqrt(Math.max(0, squares / count - mean * mean)) };
}

export const RADIUS = 5; // of Wang's window: a Gaussian of 1.5 cut off at 3.5 of them
const WEIGHTS = gaussian(1.5, RADIUS);

/**
 * Structural similarity, pixel by pixel: Wang's, as scikit-image computes it.
 * @param {Picture} clean
 * @param {Picture} other
 * @returns {Picture}
 */
export function ssimMap(clean, other) {
  const { width, height } = clean;
  const size = width * height;
  const x = clean.values;
  const y = other.values.map(clamp);
  const product = (/** @type {Float64Array} */ a, /** @type {Float64Array} */ b) =>
    a.map((v, i) => v * b[i]);
  const [ux, uy, uxx, uyy, uxy] = [x, y, product(x, x), product(y, y), product(x, y)].map((each) =>
    blurred(each, width, height),
  );
  const values = new Float64Array(size);
  const c1 = 0.01 ** 2;
  const c2 = 0.03 ** 2;
  for (let i = 0; i < size; i++) {
    const vx = uxx[i] - ux[i] * ux[i];
    const vy = uyy[i] - uy[i] * uy[i];
    const vxy = uxy[i] - ux[i] * uy[i];
    values[i] =
      ((2 * ux[i] * uy[i] + c1) * (2 * vxy + c2)) /
      ((ux[i] * ux[i] + uy[i] * uy[i] + c1) * (vx + vy + c2));
  }
  return { width, height, values };
}

/**
 * Return the mean of a similarity map over a region; of the whole image without the border that
 * the window does not fill.
 * @param {Picture} map
 * @param {Region} region
 * @param {Part} [part]
 */
export function ssimOf(map, region, part) {
  const whole = region.width === map.width && region.height === map.height;
  if (!whole || part) return moments(map, region, part).mean;
  if (Math.min(map.width, map.height) <= 2 * RADIUS) return NaN;
  return moments(map, {
    x: RADIUS,
    y: RADIUS,
    width: map.width - 2 * RADIUS,
    height: map.height - 2 * RADIUS,
  }).mean;
}

/**
 * @param {number} sigma
 * @param {number} radius
 */
function gaussian(sigma, radius) {
  const raw = Array.from({ length: 2 * radius + 1 }, (_, i) =>
    Math.exp(-0.5 * ((i - radius) / sigma) ** 2),
  );
  const sum = raw.reduce((a, b) => a + b);
  return raw.map((each) => each / sum);
}

/**
 * Blur along both axes, the image mirrored at its edges.
 * @param {Float64Array} values
 * @param {number} width
 * @param {number} height
 */
function blurred(values, width, height) {
  const across = new Float64Array(values.length);
  const result = new Float64Array(values.length);
  const columns = mirrored(width);
  const rows = mirrored(height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let k = 0; k < WEIGHTS.length; k++)
        sum += WEIGHTS[k] * values[y * width + columns[x + k]];
      across[y * width + x] = sum;
    }
  }
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let k = 0; k < WEIGHTS.length; k++) sum += WEIGHTS[k] * across[rows[y + k] * width + x];
      result[y * width + x] = sum;
    }
  }
  return result;
}

/**
 * Return where each place of a padded line is taken from.
 * @param {number} length
 */
function mirrored(length) {
  return Int32Array.from({ length: length + 2 * RADIUS }, (_, i) => {
    const period = 2 * length;
    const place = (((i - RADIUS) % period) + period) % period;
    return place < length ? place : period - 1 - place;
  });
}

/** @param {number} value */
export function clamp(value) {
  return Math.min(1, Math.max(0, value));
}
