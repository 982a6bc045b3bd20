//! Into what a job is made for a device: untouched, PWG Raster, or PDF. Pure.

use tympan_engine::{
    ColorMode, DeviceProfile, Handling, Job, JobOptions, Orientation, PageRange, Printer, Quality, Scaling, Sides,
};
use tympan_ipp::media::{self, Size};
use tympan_raster::PixelType;
use tympan_raster::sheet_back::{SheetBack, Sides as RasterSides, Transform};
use tympan_render::{BackSide, Colour, Margins, PageSetup};

use super::layout::{Layout, Side};

/// PWG Raster's media type.
pub const PWG: &str = "image/pwg-raster";
/// PDF's media type.
pub const PDF: &str = "application/pdf";
/// Resolution that is preferred where a device offers it, in dots per inch.
const DPI: u32 = 300;
/// The widest edge that can be asked for, in 1/100 mm.
const MARGIN_MAX: u32 = 5_000;
/// The finest resolution that is used, in dots per inch.
const DPI_MAX: u32 = 600;

/// What is made of a job.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// How.
    pub form: Form,
    /// "document-format" of the result.
    pub format: String,
    /// The sides of one copy.
    pub layout: Layout,
    /// Copies that the device makes itself.
    pub copies_by_device: Option<u16>,
    /// Copies that stand in the data.
    pub copies_in_data: u16,
    /// What the device is told; `None`: nothing was asked for.
    pub sides: Option<Sides>,
    /// What the device is told.
    pub color: Option<ColorMode>,
    /// What the device is told.
    pub media: Option<String>,
    /// What the device is told beyond that.
    pub extras: Extras,
    /// What the device is told, where it picks the pages.
    pub page_ranges: Vec<PageRange>,
    /// How pages are drawn, where we draw them.
    pub drawing: Drawing,
}

/// What the device is told and what does not change the data, or is left to the device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extras {
    /// "media-source".
    pub media_source: Option<String>,
    /// "media-type".
    pub media_type: Option<String>,
    /// "media-*-margin": left, right, top, bottom, in 1/100 mm.
    pub margins: Option<[u32; 4]>,
    /// "print-quality".
    pub quality: Option<Quality>,
    /// "multiple-document-handling".
    pub handling: Option<Handling>,
    /// "orientation-requested", where the device places the pages.
    pub orientation: Option<Orientation>,
    /// "print-scaling", where the device places the pages.
    pub scaling: Option<Scaling>,
    /// "printer-resolution" in dots per inch, where the device draws the pages.
    pub resolution: Option<u32>,
}

/// How the data comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The one document as it is.
    Untouched,
    /// The one document laid out as PDF.
    LaidOut,
    /// All pages drawn, as PWG Raster.
    Raster,
    /// All pages drawn, as pictures in a PDF, for a device that takes nothing else.
    PicturesInPdf,
}

/// How pages are drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawing {
    /// The medium's name.
    pub media: String,
    /// Its size.
    pub size: Size,
    /// Its size with the edges on which nothing can be printed.
    pub setup: PageSetup,
    /// Dots per inch.
    pub dpi: u32,
    /// Which pixels.
    pub colour: Colour,
    /// Front and back.
    pub sides: RasterSides,
    /// How backs are turned.
    pub back: Transform,
    /// How a page is fitted to the paper.
    pub scaling: Option<Scaling>,
    /// How pages are turned.
    pub orientation: Option<Orientation>,
}

impl Drawing {
    /// The pixels in PWG Raster's words.
    pub fn pixel_type(&self) -> PixelType {
        match self.colour {
            Colour::Srgb8 => PixelType::SRGB_8,
            Colour::Sgray8 => PixelType::SGRAY_8,
            Colour::Black1 => PixelType::BLACK_1,
        }
    }

    /// Whether both sides are printed.
    pub fn is_duplex(&self) -> bool {
        self.sides != RasterSides::OneSided
    }

    /// How backs are turned, in the renderer's words; `None`: not at all.
    pub(crate) fn back_side(&self) -> Option<BackSide> {
        (self.back != Transform::NONE)
            .then_some(BackSide { cross_feed_flipped: self.back.cross_feed < 0, feed_flipped: self.back.feed < 0 })
    }
}

/// The paper a job is laid out for.
pub fn setup_for(printer: &Printer, options: &JobOptions) -> (String, Size, PageSetup) {
    let media = printer.media_for(options).unwrap_or_else(|| "iso_a4_210x297mm".into());
    let size = media::size_of(&media).filter(|size| size.x > 0 && size.y > 0).unwrap_or(Size::A4);
    let device = printer.profile.as_ref().map_or([423; 4], |profile| profile.margins);
    let borderless = printer.profile.as_ref().is_some_and(|profile| profile.borderless);
    let [left, right, top, bottom] = match options.margins {
        Some(asked) if asked == [0; 4] && borderless => asked,
        // Nothing can be printed beyond the device's own edges.
        Some(asked) => std::array::from_fn(|edge| asked[edge].max(device[edge]).min(MARGIN_MAX)),
        None => device,
    };
    let margins = Margins { top, right, bottom, left };
    (media, size, PageSetup { width: size.x.unsigned_abs(), height: size.y.unsigned_abs(), margins })
}

impl Plan {
    /// Each copy that stands in the data begins on a front.
    pub(crate) fn even_copies(&mut self) {
        if self.copies_in_data > 1 && self.drawing.is_duplex() && self.layout.sides.len() % 2 == 1 {
            self.layout.sides.push(Side::Blank);
        }
    }

    fn leave_to_device(&mut self, asked: &JobOptions) {
        self.extras.orientation = turned(asked.orientation);
        self.extras.scaling = asked.scaling;
        self.extras.resolution = asked.resolution;
    }

    /// The same for a job of which only the raster of the whole is left.
    pub(crate) fn of_cut_raster(mut self, job: &Job) -> Self {
        self.form = Form::Raster;
        self.format = PWG.into();
        self.page_ranges = Vec::new();
        self.layout = Layout::cut(job, self.drawing.is_duplex());
        self.even_copies();
        self
    }
}

/// Decides.
///
/// # Errors
/// A sentence, when the device takes nothing that we can make.
pub fn plan(job: &Job, printer: &Printer) -> Result<Plan, String> {
    let assumed;
    let profile = match &printer.profile {
        Some(profile) => profile,
        None => {
            assumed = DeviceProfile::assumed(&[PWG]);
            &assumed
        }
    };
    let drawing = drawing(job, printer, profile);
    let tells = |name: &str| profile.job_attributes.iter().any(|known| known == name);
    let copies = job.copies();
    let by_device = tells("copies") && copies <= profile.copies_max;
    let asked = &job.options;
    let wants_mono = job.options.color == Some(ColorMode::Monochrome) && profile.color;
    let mut plan = Plan {
        form: Form::Raster,
        format: PWG.into(),
        layout: Layout::of(job, drawing.is_duplex()),
        copies_by_device: by_device.then_some(copies),
        copies_in_data: if by_device { 1 } else { copies },
        sides: job.options.sides.filter(|sides| profile.duplex || !sides.is_duplex()),
        color: job.options.color,
        media: job
            .options
            .media
            .as_ref()
            .and(Some(drawing.media.clone()))
            .filter(|media| profile.media.is_empty() || profile.media.iter().any(|known| known == media)),
        page_ranges: Vec::new(),
        extras: Extras {
            media_source: asked.media_source.clone(),
            media_type: asked.media_type.clone(),
            margins: asked.margins,
            quality: asked.quality,
            handling: asked.handling,
            ..Extras::default()
        },
        drawing,
    };
    plan.even_copies();
    let one = match job.documents.as_slice() {
        [one] if job.first_page == 1 && job.mark.is_none() => Some(one),
        _ => None,
    };
    // The device itself does what is asked for, or nothing is.
    let device_can = plan.copies_in_data == 1
        && (!plan.drawing.is_duplex() || tells("sides"))
        && (!wants_mono || tells("print-color-mode"))
        && asked.number_up.is_none_or(|number| number == 1)
        && asked.overrides.is_empty()
        && (turned(asked.orientation).is_none() || tells("orientation-requested"))
        && (matches!(asked.scaling, None | Some(Scaling::Auto | Scaling::AutoFit)) || tells("print-scaling"))
        && (asked.resolution.is_none() || tells("printer-resolution"));
    let picks_pages =
        |format: &str| job.options.pages.is_empty() || (format == PDF && profile.page_ranges && tells("page-ranges"));
    if let Some(one) = one.filter(|_| device_can) {
        let format = media_type(&one.format);
        if profile.takes(format) && matches!(format, PDF | "image/jpeg") && picks_pages(format) {
            plan.form = Form::Untouched;
            plan.format = format.to_owned();
            plan.page_ranges.clone_from(&job.options.pages);
            plan.leave_to_device(asked);
            return Ok(plan);
        }
    }
    if profile.takes(PWG) {
        return Ok(plan);
    }
    if !profile.takes(PDF) {
        let taken = profile.formats.join(", ");
        return Err(format!("The printer takes neither PDF nor PWG Raster, only: {taken}."));
    }
    plan.format = PDF.into();
    plan.form = Form::PicturesInPdf;
    if one.is_some() && device_can && picks_pages(PDF) {
        plan.form = Form::LaidOut;
        plan.page_ranges.clone_from(&job.options.pages);
        plan.leave_to_device(asked);
    }
    // Nobody turns backs in a PDF.
    plan.drawing.back = Transform::NONE;
    Ok(plan)
}

/// A media type without its parameters.
pub(crate) fn media_type(format: &str) -> &str {
    format.split(';').next().unwrap_or_default().trim()
}

fn drawing(job: &Job, printer: &Printer, profile: &DeviceProfile) -> Drawing {
    let (media, size, setup) = setup_for(printer, &job.options);
    let draws = |kind: &str| profile.raster_types.is_empty() || profile.raster_types.iter().any(|known| known == kind);
    let mono = !profile.color || job.options.color == Some(ColorMode::Monochrome);
    let dpi = dpi(&profile.resolutions, &job.options);
    let colour = match mono {
        false if draws("srgb_8") => Colour::Srgb8,
        _ if draws("sgray_8") => Colour::Sgray8,
        _ if draws("black_1") => Colour::Black1,
        _ => Colour::Srgb8,
    };
    let sides = match job.options.sides {
        Some(Sides::TwoSidedLongEdge) if profile.duplex => RasterSides::TwoSidedLongEdge,
        Some(Sides::TwoSidedShortEdge) if profile.duplex => RasterSides::TwoSidedShortEdge,
        _ => RasterSides::OneSided,
    };
    let sheet_back = SheetBack::from_keyword(&profile.sheet_back).unwrap_or(SheetBack::Normal);
    Drawing {
        media,
        size,
        setup,
        dpi,
        colour,
        sides,
        back: Transform::of_back(sheet_back, sides),
        scaling: job.options.scaling,
        orientation: turned(job.options.orientation),
    }
}

/// How pages are turned. "portrait" says no more than that they lie as they are: most clients send it always.
pub(crate) fn turned(asked: Option<Orientation>) -> Option<Orientation> {
    asked.filter(|orientation| *orientation != Orientation::Portrait)
}

/// What was asked for, where it is offered. Else 300 dpi, else the nearest above up to 600, else the finest below; a
/// draft is as coarse as may be from 150 dpi on, and high quality as fine as may be up to 600.
fn dpi(offered: &[u32], asked: &JobOptions) -> u32 {
    let asked_for = asked.resolution.filter(|dpi| offered.contains(dpi));
    let within = |from: u32, to: u32| offered.iter().copied().filter(move |dpi| (from..=to).contains(dpi));
    let by_quality = match asked.quality {
        Some(Quality::Draft) => within(150, DPI_MAX).min(),
        Some(Quality::High) => within(DPI, DPI_MAX).max(),
        Some(Quality::Normal) | None => None,
    };
    if let Some(dpi) = asked_for.or(by_quality) {
        return dpi;
    }
    let above = offered.iter().copied().filter(|dpi| (DPI..=DPI_MAX).contains(dpi)).min();
    above.or_else(|| offered.iter().copied().filter(|dpi| *dpi < DPI).max()).or(offered.first().copied()).unwrap_or(DPI)
}

/// The next coarser resolution that a device offers, for a document that was too much at this one.
pub(crate) fn coarser(offered: &[u32], dpi: u32) -> Option<u32> {
    offered.iter().copied().filter(|offered| *offered < dpi && *offered >= 75).max()
}

#[cfg(test)]
mod tests {
    use super::super::layout::tests::job;
    use super::*;
    use tympan_engine::{OwnerId, PrinterUuid, Timestamp};

    fn printer(formats: &[&str]) -> Printer {
        let mut printer = Printer::new(OwnerId::FIRST, PrinterUuid([2; 16]), "office", "ipp://h/", Timestamp(0));
        let mut profile = DeviceProfile::assumed(formats);
        profile.job_attributes = ["copies", "sides", "media", "print-color-mode"].map(String::from).to_vec();
        profile.copies_max = 99;
        profile.duplex = true;
        profile.resolutions = vec![300, 600];
        printer.profile = Some(profile);
        printer
    }

    #[test]
    fn a06_a_document_that_the_printer_takes_goes_untouched() {
        let plan = plan(&job(&[2]), &printer(&[PWG, PDF])).unwrap();
        assert_eq!((plan.form, plan.format.as_str()), (Form::Untouched, PDF));
        assert_eq!(plan.copies_by_device, Some(1));
    }

    #[test]
    fn a06_several_documents_or_parts_become_one_raster() {
        for change in [
            |job: &mut Job| job.documents.push(job.documents[0].clone()),
            |job: &mut Job| job.first_page = 2,
            |job: &mut Job| job.mark = Some("REPRINT".into()),
            |job: &mut Job| job.options.pages = vec![PageRange { first: 1, last: 1 }],
            |job: &mut Job| job.documents[0].format = "image/png".into(),
        ] {
            let mut job = job(&[2]);
            change(&mut job);
            let plan = plan(&job, &printer(&[PWG, PDF])).unwrap();
            assert_eq!((plan.form, plan.format.as_str()), (Form::Raster, PWG), "{job:?}");
        }
    }

    #[test]
    fn a_printer_that_picks_pages_itself_gets_the_whole_pdf() {
        let mut job = job(&[1]);
        job.options.pages = vec![PageRange { first: 2, last: 2 }];
        let mut printer = printer(&[PDF]);
        assert_eq!(plan(&job, &printer).unwrap().form, Form::PicturesInPdf);
        let profile = printer.profile.as_mut().unwrap();
        profile.page_ranges = true;
        profile.job_attributes.push("page-ranges".into());
        let plan = plan(&job, &printer).unwrap();
        assert_eq!((plan.form, plan.page_ranges.len()), (Form::Untouched, 1));
    }

    #[test]
    fn each_copy_in_the_data_begins_on_a_front() {
        let mut job = job(&[3]);
        job.options.copies = Some(2);
        job.options.sides = Some(Sides::TwoSidedLongEdge);
        let mut printer = printer(&[PWG]);
        printer.profile.as_mut().unwrap().job_attributes.retain(|name| name != "copies");
        let plan = plan(&job, &printer).unwrap();
        assert_eq!((plan.copies_in_data, plan.layout.sides.len()), (2, 4));
        assert_eq!(plan.layout.sides.last(), Some(&Side::Blank));
        assert_eq!(plan.layout.pages_done(8, 2), 6, "people count pages");
    }

    #[test]
    fn copies_stand_in_the_data_where_the_printer_makes_none() {
        let mut job = job(&[2]);
        job.options.copies = Some(3);
        let mut printer = printer(&[PWG, PDF]);
        assert_eq!(plan(&job, &printer).unwrap().copies_by_device, Some(3));
        printer.profile.as_mut().unwrap().job_attributes.clear();
        let plan = plan(&job, &printer).unwrap();
        assert_eq!((plan.form, plan.copies_by_device, plan.copies_in_data), (Form::Raster, None, 3));
    }

    #[test]
    fn what_the_printer_does_not_understand_is_drawn_for_it() {
        let job = |options| Job { options, ..job(&[2]) };
        let mut printer = printer(&[PWG, PDF]);
        let form = |options: &JobOptions, printer: &Printer| plan(&job(options.clone()), printer).unwrap().form;
        let landscape = JobOptions { orientation: Some(Orientation::Landscape), ..JobOptions::default() };
        let fill = JobOptions { scaling: Some(Scaling::Fill), ..JobOptions::default() };
        let portrait = JobOptions { orientation: Some(Orientation::Portrait), ..JobOptions::default() };
        let two = JobOptions { number_up: Some(2), ..JobOptions::default() };
        for (options, wanted) in
            [(&landscape, Form::Raster), (&fill, Form::Raster), (&two, Form::Raster), (&portrait, Form::Untouched)]
        {
            assert_eq!(form(options, &printer), wanted, "{options:?}");
        }
        let profile = printer.profile.as_mut().unwrap();
        profile.job_attributes.extend(["orientation-requested", "print-scaling"].map(String::from));
        assert_eq!(form(&landscape, &printer), Form::Untouched);
        assert_eq!(plan(&job(fill), &printer).unwrap().extras.scaling, Some(Scaling::Fill));
        assert_eq!(form(&two, &printer), Form::Raster);
    }

    #[test]
    fn edges_are_never_narrower_than_the_printers_unless_it_prints_without() {
        let mut printer = printer(&[PWG]);
        let edges = |margins, printer: &Printer| {
            let options = JobOptions { margins: Some(margins), ..JobOptions::default() };
            let margins = setup_for(printer, &options).2.margins;
            [margins.left, margins.right, margins.top, margins.bottom]
        };
        assert_eq!(edges([0; 4], &printer), [423; 4]);
        assert_eq!(edges([1000, 0, 500, 99_999], &printer), [1000, 423, 500, MARGIN_MAX]);
        printer.profile.as_mut().unwrap().borderless = true;
        assert_eq!(edges([0; 4], &printer), [0; 4]);
    }

    #[test]
    fn a_printer_of_other_formats_only_is_refused_with_a_sentence() {
        assert!(plan(&job(&[1]), &printer(&["application/vnd.hp-pcl"])).unwrap_err().contains("vnd.hp-pcl"));
    }

    #[test]
    fn pixels_and_dots_are_what_the_printer_offers() {
        let mut printer = printer(&[PWG]);
        let mut job = job(&[1]);
        assert_eq!(plan(&job, &printer).unwrap().drawing.colour, Colour::Srgb8);
        job.options.color = Some(ColorMode::Monochrome);
        assert_eq!(plan(&job, &printer).unwrap().drawing.colour, Colour::Sgray8);
        let profile = printer.profile.as_mut().unwrap();
        profile.raster_types = vec!["black_1".into()];
        profile.resolutions = vec![600, 1200];
        let drawing = plan(&job, &printer).unwrap().drawing;
        assert_eq!((drawing.colour, drawing.dpi), (Colour::Black1, 600));
        let asked = JobOptions::default();
        assert_eq!(dpi(&[150, 200], &asked), 200);
        assert_eq!(dpi(&[], &asked), 300);
        let offered = [75, 150, 300, 600, 1200];
        for (asked, wanted) in [
            (JobOptions::default(), 300),
            (JobOptions { quality: Some(Quality::Draft), ..JobOptions::default() }, 150),
            (JobOptions { quality: Some(Quality::High), ..JobOptions::default() }, 600),
            (JobOptions { resolution: Some(1200), quality: Some(Quality::Draft), ..JobOptions::default() }, 1200),
            (JobOptions { resolution: Some(1440), ..JobOptions::default() }, 300),
        ] {
            assert_eq!(dpi(&offered, &asked), wanted, "{asked:?}");
        }
        assert_eq!(coarser(&[150, 300], 300), Some(150));
    }

    #[test]
    fn the_paper_is_the_jobs_else_the_printers() {
        let printer = printer(&[PWG]);
        let options = JobOptions { media: Some("iso_a5_148x210mm".into()), ..JobOptions::default() };
        assert_eq!(setup_for(&printer, &options).1, Size::new(14_800, 21_000));
        assert_eq!(setup_for(&printer, &JobOptions::default()).1, Size::A4);
    }
}
