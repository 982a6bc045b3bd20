//! The order in which frames may come. The worker is taken to be in an attacker's hands once it has read its input,
//! so what it says is checked like any other input.

use crate::frame::{Frame, Verdict};
use crate::{Limits, Output, PageHeader, Refusal, Request};

/// Frames of facts, in all, that one request may send apart from data and bands.
const FACTS_MAX: u32 = 20_000;

/// Follows the frames of one request and lets nothing out of order through.
#[derive(Debug)]
pub(crate) struct FrameOrder {
    kind: Kind,
    colour_and_size: Option<(crate::Colour, Option<(u32, u32)>)>,
    state: State,
    facts: u32,
    octets: u64,
    octets_max: u64,
    raster_pixels_max: u64,
    pages_max: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    SplitMail,
    Inspect,
    ToPdf,
    Raster,
    Preview,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    BeforeReady,
    /// The first frame of substance is awaited.
    Beginning,
    /// Between parts, pages, or behind the only document.
    Between {
        next_page: u32,
        last_page: u32,
        complete: bool,
    },
    InPart {
        octets: u64,
    },
    InPage {
        header: PageHeader,
        next_row: u32,
        last_page: u32,
    },
    Ended,
}

/// What a caller is given for a frame in order.
#[derive(Debug)]
pub(crate) enum Passed {
    /// Nothing yet: the worker is locked in.
    Ready {
        /// Whether the kernel keeps the worker from all files.
        files_locked: bool,
    },
    /// A piece of output.
    Output(Output),
    /// The end.
    End(Result<(), Refusal>),
}

#[derive(Debug, thiserror::Error)]
#[error("the render worker broke its protocol: {what}")]
pub(crate) struct OutOfOrder {
    pub(crate) what: &'static str,
}

fn broke<T>(what: &'static str) -> Result<T, OutOfOrder> {
    Err(OutOfOrder { what })
}

impl FrameOrder {
    pub(crate) fn new(request: &Request, limits: &Limits) -> Self {
        let (kind, colour_and_size) = match request {
            Request::SplitMail(_) => (Kind::SplitMail, None),
            Request::Inspect(_) => (Kind::Inspect, None),
            Request::ToPdf(_) => (Kind::ToPdf, None),
            Request::Raster(raster) => (Kind::Raster, Some((raster.colour, raster.size))),
            Request::Preview(_) => (Kind::Preview, None),
        };
        Self {
            kind,
            colour_and_size,
            state: State::BeforeReady,
            facts: 0,
            octets: 0,
            octets_max: limits.output_octets,
            raster_pixels_max: limits.raster_pixels,
            pages_max: limits.pages,
        }
    }

    /// Whether the worker has said that it is locked in.
    pub(crate) fn is_ready(&self) -> bool {
        self.state != State::BeforeReady
    }

    pub(crate) fn pass(&mut self, frame: Frame) -> Result<Passed, OutOfOrder> {
        match frame {
            Frame::Ready(ready) if self.state == State::BeforeReady => {
                self.state = State::Beginning;
                Ok(Passed::Ready { files_locked: ready.files_locked })
            }
            Frame::Ready(_) => broke("it was ready twice"),
            _ if self.state == State::BeforeReady => broke("it spoke before it was locked in"),
            _ if self.state == State::Ended => broke("it spoke after its verdict"),
            Frame::Verdict(Verdict::Refused(refusal)) => {
                self.state = State::Ended;
                Ok(Passed::End(Err(clean(refusal))))
            }
            Frame::Verdict(Verdict::Fine) => match self.state {
                State::Between { next_page, last_page, complete } if complete && next_page > last_page => {
                    self.state = State::Ended;
                    Ok(Passed::End(Ok(())))
                }
                _ => broke("it ended too early"),
            },
            Frame::Output(output) => {
                self.output(&output)?;
                Ok(Passed::Output(output))
            }
        }
    }

    fn output(&mut self, output: &Output) -> Result<(), OutOfOrder> {
        if !matches!(output, Output::Data(_) | Output::Band { .. }) {
            self.facts += 1;
            if self.facts > FACTS_MAX {
                return broke("it did not come to an end");
            }
        }
        let whole = State::Between { next_page: 1, last_page: 0, complete: true };
        self.state = match (self.kind, self.state, output) {
            (_, State::Beginning | State::Between { .. }, Output::Notice(_)) => self.state,

            (Kind::SplitMail, State::Beginning, Output::Mail(_)) => whole,
            (Kind::Inspect, State::Beginning, Output::Document(facts)) if self.fits(facts.pages.len()) => whole,

            (Kind::SplitMail, State::Between { .. }, Output::PartStart(_)) => State::InPart { octets: 0 },
            (Kind::ToPdf | Kind::Preview, State::Beginning, Output::PartStart(_)) => State::InPart { octets: 0 },
            (_, State::InPart { octets }, Output::Data(data)) => {
                self.octets += data.len() as u64;
                if self.octets > self.octets_max {
                    return broke("it sent more than allowed");
                }
                State::InPart { octets: octets + data.len() as u64 }
            }
            (_, State::InPart { octets }, Output::PartEnd { octets: said }) if octets == *said => {
                State::Between { next_page: 1, last_page: 0, complete: self.kind != Kind::ToPdf }
            }
            (Kind::ToPdf, State::Between { complete: false, .. }, Output::Document(facts))
                if self.fits(facts.pages.len()) =>
            {
                whole
            }

            (Kind::Raster, State::Beginning, &Output::Pages { total, first, last })
                if 1 <= first && first <= last && last <= total && total <= self.pages_max =>
            {
                State::Between { next_page: first, last_page: last, complete: true }
            }
            (Kind::Raster, State::Between { next_page, last_page, .. }, Output::PageStart(header))
                if header.page == next_page && next_page <= last_page && self.is_sound(header) =>
            {
                State::InPage { header: *header, next_row: 0, last_page }
            }
            (Kind::Raster, State::InPage { header, next_row, last_page }, Output::Band { first_row, rows, data })
                if *first_row == next_row
                    && *rows > 0
                    && header.height - next_row >= *rows
                    && data.len() as u64 == u64::from(*rows) * u64::from(header.bytes_per_line) =>
            {
                State::InPage { header, next_row: next_row + rows, last_page }
            }
            (Kind::Raster, State::InPage { header, next_row, last_page }, Output::PageEnd { page })
                if *page == header.page && next_row == header.height =>
            {
                State::Between { next_page: page + 1, last_page, complete: true }
            }
            _ => return broke("a frame came out of order"),
        };
        Ok(())
    }

    fn fits(&self, pages: usize) -> bool {
        pages <= self.pages_max as usize
    }

    fn is_sound(&self, header: &PageHeader) -> bool {
        let pixels = u64::from(header.width) * u64::from(header.height);
        let Some((colour, size)) = self.colour_and_size else {
            return false;
        };
        pixels > 0
            && pixels <= self.raster_pixels_max
            && header.colour == colour
            && size.is_none_or(|size| size == (header.width, header.height))
            && header.bytes_per_line == colour.bytes_per_line(header.width)
    }
}

/// A refusal's text goes into mails and pages: one line, no control characters, bounded.
fn clean(refusal: Refusal) -> Refusal {
    let text = refusal.text.chars().filter(|c| !c.is_control()).take(400).collect();
    Refusal { kind: refusal.kind, text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Ready;
    use crate::{Colour, DocumentFacts, Format, Inspect, PageSetup, Raster, Scaling};

    fn raster() -> FrameOrder {
        let request = Raster {
            format: None,
            charset: None,
            first_page: 1,
            last_page: None,
            setup: PageSetup::A4,
            resolution: (300, 300),
            size: None,
            colour: Colour::Sgray8,
            scaling: Scaling::Auto,
            orientation: None,
            several: None,
            back: None,
        };
        let mut order = FrameOrder::new(&request.into(), &Limits::default());
        order.pass(Frame::Ready(Ready { files_locked: true })).unwrap();
        order
    }

    fn header(page: u32) -> PageHeader {
        PageHeader {
            page,
            width: 10,
            height: 4,
            bytes_per_line: 10,
            colour: Colour::Sgray8,
            resolution: (300, 300),
            back: false,
        }
    }

    fn out(order: &mut FrameOrder, output: Output) -> Result<Passed, OutOfOrder> {
        order.pass(Frame::Output(output))
    }

    fn band(first_row: u32, rows: u32) -> Output {
        Output::Band { first_row, rows, data: vec![255; rows as usize * 10].into() }
    }

    #[test]
    fn whole_pages_in_order_pass() {
        let mut order = raster();
        out(&mut order, Output::Pages { total: 5, first: 2, last: 3 }).unwrap();
        for page in 2..=3 {
            out(&mut order, Output::PageStart(header(page))).unwrap();
            out(&mut order, band(0, 3)).unwrap();
            out(&mut order, band(3, 1)).unwrap();
            out(&mut order, Output::PageEnd { page }).unwrap();
        }
        assert!(matches!(order.pass(Frame::Verdict(Verdict::Fine)), Ok(Passed::End(Ok(())))));
    }

    #[test]
    fn a_missing_or_doubled_row_or_page_does_not_pass() {
        for wrong in [
            band(1, 3),
            band(0, 5),
            Output::Band { first_row: 0, rows: 4, data: vec![0; 39].into() },
            Output::PageEnd { page: 1 },
        ] {
            let mut order = raster();
            out(&mut order, Output::Pages { total: 1, first: 1, last: 1 }).unwrap();
            out(&mut order, Output::PageStart(header(1))).unwrap();
            assert!(out(&mut order, wrong).is_err());
        }
        let mut order = raster();
        out(&mut order, Output::Pages { total: 2, first: 1, last: 2 }).unwrap();
        assert!(out(&mut order, Output::PageStart(header(2))).is_err());
        assert!(order.pass(Frame::Verdict(Verdict::Fine)).is_err(), "two pages were promised");
    }

    #[test]
    fn a_header_that_was_not_asked_for_does_not_pass() {
        let huge = PageHeader { width: 60_000, height: 60_000, bytes_per_line: 60_000, ..header(1) };
        let wrong_stride = PageHeader { bytes_per_line: 11, ..header(1) };
        let wrong_colour = PageHeader { colour: Colour::Srgb8, bytes_per_line: 30, ..header(1) };
        for wrong in [huge, wrong_stride, wrong_colour] {
            let mut order = raster();
            out(&mut order, Output::Pages { total: 1, first: 1, last: 1 }).unwrap();
            assert!(out(&mut order, Output::PageStart(wrong)).is_err());
        }
    }

    #[test]
    fn nothing_passes_before_ready_or_after_the_verdict() {
        let request = Inspect { format: None, charset: None, setup: PageSetup::A4, colour: false }.into();
        let mut order = FrameOrder::new(&request, &Limits::default());
        let facts = DocumentFacts { format: Format::Pdf, pages: vec![] };
        assert!(out(&mut order, Output::Document(facts.clone())).is_err());
        let mut order = FrameOrder::new(&request, &Limits::default());
        order.pass(Frame::Ready(Ready { files_locked: false })).unwrap();
        assert!(order.pass(Frame::Verdict(Verdict::Fine)).is_err(), "no document came");
        out(&mut order, Output::Document(facts.clone())).unwrap();
        order.pass(Frame::Verdict(Verdict::Fine)).unwrap();
        assert!(out(&mut order, Output::Document(facts)).is_err());
    }
}
