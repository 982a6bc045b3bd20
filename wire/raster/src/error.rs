//! What can be wrong with a raster, one variant a reason.

/// A raster that is refused, on the way in or on the way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RasterError {
    /// The first octets are not those of the format. Only big-endian `RaS2` is read as PWG Raster.
    #[error("this is not {format}: the file begins with other octets")]
    WrongMagic {
        /// Name of the format that was expected.
        format: &'static str,
    },
    /// A field of a page header has a value that the format does not allow.
    #[error("page {page}: {field} is {value}, which is not allowed")]
    Field {
        /// Page number, from 1.
        page: u32,
        /// Name of the field in the specification.
        field: &'static str,
        /// The value that was found.
        value: u64,
    },
    /// Colour space, bits and number of colours do not go together.
    #[error(
        "page {page}: colour space {color_space} with {num_colors} colours of {bits_per_color} bits is not defined"
    )]
    PixelType {
        /// Page number, from 1.
        page: u32,
        /// `ColorSpace` as found.
        color_space: u32,
        /// `BitsPerColor` as found.
        bits_per_color: u32,
        /// `NumColors` as found.
        num_colors: u32,
    },
    /// A limit of [`Limits`](crate::Limits) would be passed.
    #[error("page {page}: {what} is {value}, more than the limit of {limit}")]
    Limit {
        /// Page number, from 1.
        page: u32,
        /// What is limited.
        what: &'static str,
        /// The value that was found.
        value: u64,
        /// The limit.
        limit: u64,
    },
    /// A run of pixels goes on past the end of its line.
    #[error("page {page}, line {line}: a run of pixels goes past the end of the line")]
    RunPastLine {
        /// Page number, from 1.
        page: u32,
        /// Line number, from 0.
        line: u32,
    },
    /// A line repeats past the last line of the page.
    #[error("page {page}, line {line}: the line repeats past the end of the page")]
    RepeatPastPage {
        /// Page number, from 1.
        page: u32,
        /// Line number, from 0.
        line: u32,
    },
    /// The code 0x80, which PWG Raster does not define.
    #[error("page {page}, line {line}: code 0x80 is not defined")]
    UndefinedCode {
        /// Page number, from 1.
        page: u32,
        /// Line number, from 0.
        line: u32,
    },
    /// The octets end inside a page or inside the file header.
    #[error("the raster ends too early: page {page}, line {line}")]
    Truncated {
        /// Page number, from 1; 0 when the file header is not complete.
        page: u32,
        /// Line number, from 0.
        line: u32,
    },
    /// Rows were given to the encoder that are not whole, or outside a page, or too many.
    #[error("the encoder was given {given} octets where {expected} fit: rows are whole and inside a page")]
    Rows {
        /// Octets given.
        given: usize,
        /// Octets of a row, or octets left in the page.
        expected: u64,
    },
    /// A page was ended before all its rows were given, or begun before the last one ended.
    #[error("{missing} rows of the page are missing")]
    RowsMissing {
        /// Rows that were announced and not given.
        missing: u32,
    },
    /// A text of the header does not fit into its 63 octets of ASCII.
    #[error("header text {field} is not 63 or fewer ASCII characters")]
    HeaderText {
        /// Name of the field in the specification.
        field: &'static str,
    },
}
