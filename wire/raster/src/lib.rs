//! Page images on the wire: PWG Raster (PWG 5102.4-2012) and Apple Raster ("URF", which has no
//! public specification), both ways.
//!
//! Pure: octets in, rows out, and rows in, octets out. Neither direction ever holds more than one
//! row (and what the caller pushed and has not read yet), so a page of any length costs the same.
//! Dithering, scaling and colour conversion are not here: who renders does them.
//!
//! The two formats share the coding of lines ([`Lines`](page::Event::Lines)) and differ in their
//! headers and in what the octet 0x80 means.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod color;
mod error;
mod limits;
mod line;
pub mod media_position;
pub mod page;
pub mod pwg;
pub mod sheet_back;
pub mod urf;

pub use color::{ColorSpace, PixelType};
pub use error::RasterError;
pub use limits::Limits;
pub use page::Event;
