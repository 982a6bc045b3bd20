//! The page header, 1796 octets at fixed offsets (PWG 5102.4 table 1).

use alloc::string::String;
use alloc::vec::Vec;

use crate::color::PixelType;
use crate::error::RasterError;
use crate::sheet_back::{Sides, Transform};

/// Octets of a page header.
pub const HEADER_OCTETS: usize = 1796;
const VENDOR_DATA_MAX: usize = 1088;

/// When something is done: `CutMedia`, `Jog`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum When {
    /// 0
    #[default]
    Never,
    /// 1
    AfterDocument,
    /// 2
    AfterJob,
    /// 3
    AfterSet,
    /// 4
    AfterPage,
}

impl When {
    fn from_number(number: u32) -> Option<Self> {
        Some(match number {
            0 => Self::Never,
            1 => Self::AfterDocument,
            2 => Self::AfterJob,
            3 => Self::AfterSet,
            4 => Self::AfterPage,
            _ => return None,
        })
    }
}

/// What a page says about itself. Zero and empty mean "the device's default".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageHeader {
    /// `MediaColor`, a keyword of "media-color".
    pub media_color: String,
    /// `MediaType`, a keyword of "media-type".
    pub media_type: String,
    /// `PrintContentOptimize`: auto, graphic, photo, text, text-and-graphic.
    pub print_content_optimize: String,
    /// `CutMedia`.
    pub cut_media: When,
    /// `Duplex`: printed on both sides.
    pub duplex: bool,
    /// `HWResolution`: dots per inch along a line and from line to line.
    pub resolution: (u32, u32),
    /// `InsertSheet`.
    pub insert_sheet: bool,
    /// `Jog`.
    pub jog: When,
    /// `LeadingEdge`: 0 short edge first, 1 long edge first.
    pub leading_edge: u32,
    /// `MediaPosition`: see [`media_position`](crate::media_position).
    pub media_position: u32,
    /// `MediaWeightMetric`, grams per square metre.
    pub media_weight_metric: u32,
    /// `NumCopies`; leave 0 where the job's "copies" says it.
    pub num_copies: u32,
    /// `Orientation`: 0 portrait, 1 landscape (90 degrees counter-clockwise), 2 reverse portrait,
    /// 3 reverse landscape. Not the enum of IPP.
    pub orientation: u32,
    /// `PageSize`: width and length in points, 1/72 inch.
    pub page_size: (u32, u32),
    /// `Tumble`: the back is turned about the short edge.
    pub tumble: bool,
    /// `Width` in pixels.
    pub width: u32,
    /// `Height` in lines.
    pub height: u32,
    /// `ColorSpace`, `BitsPerColor`, `BitsPerPixel`, `NumColors`.
    pub pixel_type: PixelType,
    /// `TotalPageCount`; 0 is unknown.
    pub total_page_count: u32,
    /// `CrossFeedTransform` and `FeedTransform`.
    pub transform: Transform,
    /// `ImageBox`: left, top, right, bottom in pixels; all 0 is unknown.
    pub image_box: [u32; 4],
    /// `AlternatePrimary`: 0x00RRGGBB in sRGB.
    pub alternate_primary: u32,
    /// `PrintQuality`: 0 default, 3 draft, 4 normal, 5 high.
    pub print_quality: u32,
    /// `VendorIdentifier`, a USB vendor id.
    pub vendor_identifier: u32,
    /// `VendorData`, 0 to 1088 octets.
    pub vendor_data: Vec<u8>,
    /// `RenderingIntent`.
    pub rendering_intent: String,
    /// `PageSizeName`, a name of PWG 5101.1.
    pub page_size_name: String,
}

impl PageHeader {
    /// A one-sided page with everything else at the device's default. `dpi` counts in both directions.
    pub fn new(pixel_type: PixelType, width: u32, height: u32, dpi: u32) -> Self {
        let points = |pixels: u32| {
            let dpi = u64::from(dpi.max(1));
            ((u64::from(pixels) * 72 + dpi / 2) / dpi) as u32
        };
        Self {
            media_color: String::new(),
            media_type: String::new(),
            print_content_optimize: String::new(),
            cut_media: When::Never,
            duplex: false,
            resolution: (dpi, dpi),
            insert_sheet: false,
            jog: When::Never,
            leading_edge: 0,
            media_position: 0,
            media_weight_metric: 0,
            num_copies: 0,
            orientation: 0,
            page_size: (points(width), points(height)),
            tumble: false,
            width,
            height,
            pixel_type,
            total_page_count: 0,
            transform: Transform::NONE,
            image_box: [0; 4],
            alternate_primary: 0,
            print_quality: 0,
            vendor_identifier: 0,
            vendor_data: Vec::new(),
            rendering_intent: String::new(),
            page_size_name: String::new(),
        }
    }

    /// Sets `Duplex` and `Tumble`.
    pub fn with_sides(mut self, sides: Sides) -> Self {
        (self.duplex, self.tumble) = sides.duplex_tumble();
        self
    }

    /// `BytesPerLine`.
    pub fn bytes_per_line(&self) -> u64 {
        self.pixel_type.bytes_per_line(self.width)
    }

    /// Appends the 1796 octets.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), RasterError> {
        let bytes_per_line = u32::try_from(self.bytes_per_line()).map_err(|_| RasterError::Field {
            page: 0,
            field: "Width",
            value: self.width.into(),
        })?;
        for (field, value) in [("Width", self.width), ("Height", self.height)] {
            if value == 0 {
                return Err(RasterError::Field { page: 0, field, value: 0 });
            }
        }
        if self.vendor_data.len() > VENDOR_DATA_MAX {
            return Err(RasterError::Field { page: 0, field: "VendorLength", value: self.vendor_data.len() as u64 });
        }
        let mut h = [0u8; HEADER_OCTETS];
        h[..9].copy_from_slice(b"PwgRaster");
        put_text(&mut h, 64, "MediaColor", &self.media_color)?;
        put_text(&mut h, 128, "MediaType", &self.media_type)?;
        put_text(&mut h, 192, "PrintContentOptimize", &self.print_content_optimize)?;
        put_text(&mut h, 1668, "RenderingIntent", &self.rendering_intent)?;
        put_text(&mut h, 1732, "PageSizeName", &self.page_size_name)?;
        let pixel = self.pixel_type;
        for (offset, value) in [
            (268, self.cut_media as u32),
            (272, u32::from(self.duplex)),
            (276, self.resolution.0),
            (280, self.resolution.1),
            (300, u32::from(self.insert_sheet)),
            (304, self.jog as u32),
            (308, self.leading_edge),
            (324, self.media_position),
            (328, self.media_weight_metric),
            (340, self.num_copies),
            (344, self.orientation),
            (352, self.page_size.0),
            (356, self.page_size.1),
            (368, u32::from(self.tumble)),
            (372, self.width),
            (376, self.height),
            (384, pixel.bits_per_color),
            (388, pixel.bits_per_pixel()),
            (392, bytes_per_line),
            (396, 0),
            (400, pixel.color_space.number()),
            (420, pixel.color_space.num_colors()),
            (452, self.total_page_count),
            (456, self.transform.cross_feed as u32),
            (460, self.transform.feed as u32),
            (464, self.image_box[0]),
            (468, self.image_box[1]),
            (472, self.image_box[2]),
            (476, self.image_box[3]),
            (480, self.alternate_primary),
            (484, self.print_quality),
            (508, self.vendor_identifier),
            (512, self.vendor_data.len() as u32),
        ] {
            h[offset..offset + 4].copy_from_slice(&value.to_be_bytes());
        }
        h[516..516 + self.vendor_data.len()].copy_from_slice(&self.vendor_data);
        out.extend_from_slice(&h);
        Ok(())
    }

    /// Reads 1796 octets. Reserved octets are not looked at, as later versions may use them.
    pub(crate) fn decode(h: &[u8], page: u32) -> Result<Self, RasterError> {
        let number = |offset: usize| {
            let mut octets = [0; 4];
            octets.copy_from_slice(&h[offset..offset + 4]);
            u32::from_be_bytes(octets)
        };
        let field = |field: &'static str, value: u32| RasterError::Field { page, field, value: value.into() };
        let text = |offset: usize, name| text_at(h, offset).ok_or(RasterError::HeaderText { field: name });
        let when = |offset: usize, name| When::from_number(number(offset)).ok_or_else(|| field(name, number(offset)));
        let transform = |offset: usize, name| match number(offset) as i32 {
            // Some senders leave the transform of a front side empty.
            0 | 1 => Ok(1),
            -1 => Ok(-1),
            other => Err(RasterError::Field { page, field: name, value: other as u32 as u64 }),
        };
        if text_at(h, 0).as_deref() != Some("PwgRaster") {
            return Err(RasterError::WrongMagic { format: "a PWG Raster page" });
        }
        let (bits_per_color, color_space, num_colors) = (number(384), number(400), number(420));
        let pixel_type = PixelType::from_fields(color_space, bits_per_color, num_colors)
            .ok_or(RasterError::PixelType { page, color_space, bits_per_color, num_colors })?;
        let header = Self {
            media_color: text(64, "MediaColor")?,
            media_type: text(128, "MediaType")?,
            print_content_optimize: text(192, "PrintContentOptimize")?,
            cut_media: when(268, "CutMedia")?,
            duplex: number(272) != 0,
            resolution: (number(276), number(280)),
            insert_sheet: number(300) != 0,
            jog: when(304, "Jog")?,
            leading_edge: number(308),
            media_position: number(324),
            media_weight_metric: number(328),
            num_copies: number(340),
            orientation: number(344),
            page_size: (number(352), number(356)),
            tumble: number(368) != 0,
            width: number(372),
            height: number(376),
            pixel_type,
            total_page_count: number(452),
            transform: Transform {
                cross_feed: transform(456, "CrossFeedTransform")?,
                feed: transform(460, "FeedTransform")?,
            },
            image_box: [number(464), number(468), number(472), number(476)],
            alternate_primary: number(480),
            print_quality: number(484),
            vendor_identifier: number(508),
            vendor_data: {
                let length = number(512);
                if length as usize > VENDOR_DATA_MAX {
                    return Err(field("VendorLength", length));
                }
                h[516..516 + length as usize].to_vec()
            },
            rendering_intent: text(1668, "RenderingIntent")?,
            page_size_name: text(1732, "PageSizeName")?,
        };
        if number(396) != 0 {
            return Err(field("ColorOrder", number(396)));
        }
        if number(388) != pixel_type.bits_per_pixel() {
            return Err(field("BitsPerPixel", number(388)));
        }
        if u64::from(number(392)) != header.bytes_per_line() {
            return Err(field("BytesPerLine", number(392)));
        }
        if header.resolution.0 == 0 || header.resolution.1 == 0 {
            return Err(field("HWResolution", 0));
        }
        if header.orientation > 3 {
            return Err(field("Orientation", header.orientation));
        }
        Ok(header)
    }
}

fn put_text(h: &mut [u8], offset: usize, field: &'static str, text: &str) -> Result<(), RasterError> {
    if text.len() > 63 || !text.is_ascii() || text.contains('\0') {
        return Err(RasterError::HeaderText { field });
    }
    h[offset..offset + text.len()].copy_from_slice(text.as_bytes());
    Ok(())
}

fn text_at(h: &[u8], offset: usize) -> Option<String> {
    let octets = &h[offset..offset + 64];
    let end = octets.iter().position(|o| *o == 0)?;
    let text = core::str::from_utf8(&octets[..end]).ok()?;
    text.is_ascii().then(|| text.into())
}
