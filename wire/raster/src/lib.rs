//! Pixel bands to PWG Raster and back, Apple Raster in.
