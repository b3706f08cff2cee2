"""Rows and manifests as what tables and figures are made from."""
