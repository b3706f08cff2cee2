"""Tables, and the forms they are written in."""
