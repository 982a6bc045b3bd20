//! What a printer can do, out of Get-Printer-Attributes.

use tympan_engine::DeviceProfile;
use tympan_ipp::{Attribute, Group};

/// What is asked for.
pub(super) const ATTRIBUTES: &[&str] = &[
    "printer-make-and-model",
    "printer-uuid",
    "document-format-supported",
    "media-supported",
    "media-default",
    "pwg-raster-document-resolution-supported",
    "pwg-raster-document-type-supported",
    "pwg-raster-document-sheet-back",
    "media-left-margin-supported",
    "media-right-margin-supported",
    "media-top-margin-supported",
    "media-bottom-margin-supported",
    "color-supported",
    "sides-supported",
    "copies-supported",
    "print-color-mode-supported",
    "multiple-document-jobs-supported",
    "page-ranges-supported",
    "job-creation-attributes-supported",
    "operations-supported",
    "media-source-supported",
    "media-type-supported",
    "print-quality-supported",
    "output-bin-supported",
    "pages-per-minute",
    "multiple-document-handling-supported",
    "identify-actions-supported",
];

/// Values of one attribute that are kept.
const VALUES_MAX: usize = 500;
/// The widest margin that is believed, in 1/100 mm.
const MARGIN_MAX: i32 = 3_000;
/// The margin of a printer that names none: 1/6 inch, in 1/100 mm.
const MARGIN_DEFAULT: u32 = 423;

/// Reads the profile. What makes no sense is left out: it is asked for again with every job.
pub(super) fn read(group: &Group) -> DeviceProfile {
    let strings = |name: &str| -> Vec<String> {
        let values = group.get(name).into_iter().flat_map(Attribute::strings);
        values.take(VALUES_MAX).map(str::to_owned).collect()
    };
    let string = |name: &str| group.get(name).and_then(Attribute::string).unwrap_or_default().to_owned();
    let truth = |name: &str| group.get(name).and_then(Attribute::boolean);
    let copies = group.get("copies-supported").and_then(Attribute::range).map_or(1, |range| range.upper);
    let raster_types = strings("pwg-raster-document-type-supported");
    let sides = strings("sides-supported");
    let color = truth("color-supported").unwrap_or_else(|| raster_types.iter().any(|kind| kind.contains("rgb")));
    DeviceProfile {
        version: 0,
        make_and_model: string("printer-make-and-model"),
        device_uuid: string("printer-uuid"),
        formats: strings("document-format-supported").into_iter().map(|format| format.to_ascii_lowercase()).collect(),
        media: strings("media-supported"),
        media_default: group.get("media-default").and_then(Attribute::string).map(str::to_owned),
        resolutions: resolutions(group),
        raster_types,
        sheet_back: string("pwg-raster-document-sheet-back"),
        margins: margins(group),
        color,
        duplex: sides.iter().any(|sides| sides.starts_with("two-sided")),
        copies_max: u16::try_from(copies.clamp(1, 999)).unwrap_or(1),
        media_sources: strings("media-source-supported"),
        media_types: strings("media-type-supported"),
        borderless: is_borderless(group),
        qualities: group.get("print-quality-supported").into_iter().flat_map(Attribute::enums).take(8).collect(),
        output_bins: strings("output-bin-supported"),
        pages_per_minute: group
            .get("pages-per-minute")
            .and_then(Attribute::integer)
            .and_then(|pages| u32::try_from(pages).ok())
            .unwrap_or(0),
        handlings: strings("multiple-document-handling-supported"),
        identify_actions: strings("identify-actions-supported"),
        multiple_documents: truth("multiple-document-jobs-supported").unwrap_or(false),
        page_ranges: truth("page-ranges-supported").unwrap_or(false),
        job_attributes: job_attributes(group),
        operations: operations(group),
    }
}

fn resolutions(group: &Group) -> Vec<u32> {
    let values = group.get("pwg-raster-document-resolution-supported").into_iter().flat_map(Attribute::resolutions);
    let mut square: Vec<u32> = values
        .take(VALUES_MAX)
        .filter_map(|resolution| resolution.to_dpi())
        .filter(|(cross, feed)| cross == feed && (50..=2_400).contains(cross))
        .map(|(cross, _)| cross as u32)
        .collect();
    square.sort_unstable();
    square.dedup();
    square
}

/// Left, right, top, bottom. Of several the widest: a printer that also prints without margins cuts then.
fn margins(group: &Group) -> [u32; 4] {
    ["left", "right", "top", "bottom"].map(|edge| {
        let name = format!("media-{edge}-margin-supported");
        let values = group.get(&name).into_iter().flat_map(Attribute::integers);
        values.filter(|margin| (0..=MARGIN_MAX).contains(margin)).max().map_or(MARGIN_DEFAULT, |margin| margin as u32)
    })
}

/// Whether each edge may be 0.
fn is_borderless(group: &Group) -> bool {
    ["left", "right", "top", "bottom"].iter().all(|edge| {
        let supported = group.get(&format!("media-{edge}-margin-supported"));
        supported.is_some_and(|edges| edges.integers().any(|edge| edge == 0))
    })
}

/// "job-creation-attributes-supported"; of an older printer, what it has "-supported" values for.
fn job_attributes(group: &Group) -> Vec<String> {
    let said = group.get("job-creation-attributes-supported").into_iter().flat_map(Attribute::strings);
    let said: Vec<String> = said.take(VALUES_MAX).map(str::to_owned).collect();
    if !said.is_empty() {
        return said;
    }
    let candidates = ["copies", "sides", "media", "print-color-mode", "page-ranges"];
    let has = |name: &&str| {
        let attribute = group.get(&format!("{name}-supported"));
        attribute.is_some_and(|attribute| {
            attribute.boolean() != Some(false) && !attribute.values.iter().all(|value| value.is_out_of_band())
        })
    };
    candidates.iter().filter(|name| has(name)).map(|name| (*name).to_owned()).collect()
}

fn operations(group: &Group) -> Vec<u16> {
    let values = group.get("operations-supported").into_iter().flat_map(Attribute::enums);
    values.take(VALUES_MAX).filter_map(|number| u16::try_from(number).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tympan_ipp::{GroupTag, Resolution, Value};

    #[test]
    fn a06_what_a_printer_can_do_is_read_from_its_answer() {
        let group = Group::new(GroupTag::Printer)
            .with("document-format-supported", Value::mime_media_types(["image/pwg-raster", "Application/PDF"]))
            .with(
                "pwg-raster-document-resolution-supported",
                [Value::from(Resolution::dpi(600)), Value::from(Resolution::dpi(300))],
            )
            .with("pwg-raster-document-type-supported", Value::keywords(["srgb_8", "sgray_8"]))
            .with("media-left-margin-supported", Value::integers([0, 423]))
            .with("media-top-margin-supported", Value::integers([-9, 99_999]))
            .with("sides-supported", Value::keywords(["one-sided", "two-sided-long-edge"]))
            .with("copies-supported", Value::range(1, 99))
            .with("operations-supported", Value::enums([5, 6, 11, -1]));
        let profile = read(&group);
        assert!(profile.takes("application/pdf"));
        assert_eq!(profile.resolutions, [300, 600]);
        assert_eq!(profile.margins, [423, 423, 423, 423]);
        assert!(profile.color && profile.duplex);
        assert_eq!(profile.copies_max, 99);
        assert_eq!(profile.operations, [5, 6, 11]);
        assert_eq!(profile.job_attributes, ["copies", "sides"]);
    }
}
