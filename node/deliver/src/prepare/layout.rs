//! Which side of paper holds what, and back: what a printer's count of sides means in pages.
//!
//! A side is a page of a document, a blank back (the next document begins on a new sheet) or the sheet that
//! says "reprint". People count pages; printers count sides.

use tympan_engine::{Handling, Job};

/// What stands on one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// A page, or several.
    Page {
        /// Which of the job's documents, from 0.
        document: usize,
        /// Its first page on this side, from 1, as the document counts.
        page: u32,
        /// How many of its wanted pages stand on this side.
        count: u32,
    },
    /// Nothing.
    Blank,
    /// What the mark says.
    Mark,
}

impl Side {
    /// How many pages stand on it.
    const fn pages(&self) -> u32 {
        match self {
            Self::Page { count, .. } => *count,
            Self::Blank | Self::Mark => 0,
        }
    }
}

/// The sides of one copy, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// The sides.
    pub sides: Vec<Side>,
}

/// No document has more pages than this; a range may.
const PAGE_MAX: u32 = 1_000_000;

/// The pages of a document that are wanted, as the document counts; `count` of them.
pub(super) fn wanted_pages(job: &Job, count: u32) -> impl Iterator<Item = u32> + '_ {
    (1..=PAGE_MAX).filter(|page| job.options.wants_page(*page)).take(count as usize)
}

impl Layout {
    /// Lays the job's pages from `first_page` on, on both sides if `duplex`, with a sheet for the mark before them.
    pub fn of(job: &Job, duplex: bool) -> Self {
        let mut sides = Vec::new();
        if job.mark.is_some() {
            sides.push(Side::Mark);
        }
        let number_up = u32::from(job.options.number_up.unwrap_or(1).max(1));
        let new_sheets = job.options.handling != Some(Handling::SingleDocument);
        let mut number = 0;
        for (document, facts) in job.documents.iter().enumerate() {
            let mut begins = true;
            for page in wanted_pages(job, facts.pages) {
                number += 1;
                if number < job.first_page {
                    continue;
                }
                if let (false, Some(Side::Page { count, .. })) = (begins, sides.last_mut())
                    && *count < number_up
                {
                    *count += 1;
                    continue;
                }
                let after_mark = matches!(sides.last(), Some(Side::Mark));
                if std::mem::take(&mut begins) && duplex && (new_sheets || after_mark) && sides.len() % 2 == 1 {
                    sides.push(Side::Blank);
                }
                sides.push(Side::Page { document, page, count: 1 });
            }
        }
        Self { sides }
    }

    /// As [`Layout::of`], for a job whose sides are laid out already: a side keeps lying on the front or the back that
    /// it was turned for.
    pub(crate) fn cut(job: &Job, duplex: bool) -> Self {
        let whole = Self::whole(job, duplex);
        let start = whole.begins(job.first_page);
        let mut sides = Vec::new();
        if job.mark.is_some() {
            sides.push(Side::Mark);
        }
        while duplex && sides.len() % 2 != start % 2 {
            sides.push(Side::Blank);
        }
        sides.extend_from_slice(&whole.sides[start..]);
        Self { sides }
    }

    /// All pages of the job, without a mark.
    pub(crate) fn whole(job: &Job, duplex: bool) -> Self {
        Self::of(&Job { first_page: 1, mark: None, ..job.clone() }, duplex)
    }

    /// The side on which a page of the job lies, from 1; the first side if there is no such page.
    pub(crate) fn begins(&self, page: u32) -> usize {
        let mut pages = 0;
        let is_it = |side: &Side| {
            pages += side.pages();
            pages >= page.max(1)
        };
        self.sides.iter().position(is_it).unwrap_or(0)
    }

    /// How many pages are among the sides.
    pub fn pages(&self) -> u32 {
        self.sides.iter().map(Side::pages).sum()
    }

    /// How many pages a printer has done that counts so many sides, over all `copies`.
    pub fn pages_done(&self, impressions: u32, copies: u16) -> u32 {
        let all = self.sides.len() as u32;
        if all == 0 {
            return impressions;
        }
        let copies = u32::from(copies.max(1));
        let whole = (impressions / all).min(copies);
        if whole == copies {
            return self.pages() * copies;
        }
        let within = &self.sides[..(impressions % all) as usize];
        let partly = within.iter().map(Side::pages).sum::<u32>();
        self.pages() * whole + partly
    }

    /// Whether any side holds several pages.
    pub(crate) fn is_several(&self) -> bool {
        self.sides.iter().any(|side| side.pages() > 1)
    }

    /// How many sides with pages of this document follow each other from `start` on.
    pub(crate) fn sides_of(&self, start: usize, wanted: usize) -> usize {
        let is_its = |side: &&Side| matches!(side, Side::Page { document, .. } if *document == wanted);
        self.sides[start..].iter().take_while(is_its).count()
    }

    /// Pages of one document that follow each other, from the side at `start` on: first page, last page, sides.
    pub(crate) fn run(&self, start: usize) -> Option<(usize, u32, u32)> {
        let Some(Side::Page { document, page: first, .. }) = self.sides.get(start).copied() else {
            return None;
        };
        let mut last = first;
        for side in &self.sides[start + 1..] {
            match *side {
                Side::Page { document: same, page, count: 1 } if same == document && page == last + 1 => last = page,
                _ => break,
            }
        }
        Some((document, first, last))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use tympan_engine::{
        DocumentId, Fence, JobDocument, JobId, JobOptions, JobSource, JobUuid, Language, Originator, OwnerId,
        PageRange, PrinterUuid, Timestamp,
    };
    use tympan_ipp::JobState;

    pub(crate) fn job(pages: &[u32]) -> Job {
        let documents = pages.iter().enumerate().map(|(n, pages)| JobDocument {
            id: DocumentId([n as u8 + 1; 16]),
            name: "x.pdf".into(),
            format: "application/pdf".into(),
            octets: 10,
            pages: *pages,
        });
        Job {
            owner: OwnerId::FIRST,
            uuid: JobUuid([7; 16]),
            id: JobId(1),
            printer: PrinterUuid([2; 16]),
            name: "x".into(),
            originator: Originator {
                address: "anna@example.org".into(),
                registration: None,
                language: Language::En,
                may_be_mailed: true,
            },
            source: JobSource::Upload,
            priority: 50,
            options: JobOptions::default(),
            state: JobState::Pending,
            holds: Default::default(),
            ready: true,
            received: Vec::new(),
            incoming: None,
            release_at: None,
            pin: None,
            documents: documents.collect(),
            rendition: None,
            remarks: Vec::new(),
            first_page: 1,
            mark: None,
            fence: Fence(0),
            attempts: 0,
            attempt: None,
            handed: false,
            impressions_completed: 0,
            failures: 0,
            put_back: None,
            doubt: None,
            canceling: None,
            expired: false,
            outcome: None,
            created_at: Timestamp(0),
            ready_at: None,
            processing_at: None,
            completed_at: None,
            keep_until: Timestamp(1),
            retry_interval_ms: 1,
            content_deleted: false,
        }
    }

    fn text(layout: &Layout) -> String {
        let side = |side: &Side| match side {
            Side::Page { document, page, count } => {
                let more = if *count > 1 { format!("+{}", count - 1) } else { String::new() };
                format!("{}{page}{more}", char::from(b'a' + *document as u8))
            }
            Side::Blank => "-".into(),
            Side::Mark => "!".into(),
        };
        layout.sides.iter().map(side).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn each_document_begins_on_a_new_sheet() {
        assert_eq!(text(&Layout::of(&job(&[3, 1, 2]), true)), "a1 a2 a3 - b1 - c1 c2");
        assert_eq!(text(&Layout::of(&job(&[3, 1]), false)), "a1 a2 a3 b1");
    }

    #[test]
    fn a_reprint_begins_at_its_page_behind_a_sheet_that_says_so() {
        let mut job = job(&[3, 2]);
        job.first_page = 3;
        job.mark = Some("REPRINT".into());
        assert_eq!(text(&Layout::of(&job, true)), "! - a3 - b1 b2");
        assert_eq!(text(&Layout::of(&job, false)), "! a3 b1 b2");
    }

    #[test]
    fn page_ranges_pick_pages_of_each_document() {
        let mut job = job(&[2, 2]);
        job.options.pages = vec![PageRange { first: 2, last: 2 }, PageRange { first: 5, last: u32::MAX }];
        assert_eq!(text(&Layout::of(&job, false)), "a2 a5 b2 b5");
        assert_eq!(Layout::of(&job, false).run(1), Some((0, 5, 5)));
    }

    #[test]
    fn several_pages_stand_on_one_side_and_are_counted_as_pages() {
        let mut job = job(&[5, 2]);
        job.options.number_up = Some(2);
        let layout = Layout::of(&job, true);
        assert_eq!(text(&layout), "a1+1 a3+1 a5 - b1+1");
        assert_eq!((layout.pages(), layout.pages_done(2, 1), layout.begins(4)), (7, 4, 1));
        assert_eq!((layout.sides_of(0, 0), layout.sides_of(1, 0), layout.sides_of(4, 1)), (3, 2, 1));
        job.options.handling = Some(Handling::SingleDocument);
        assert_eq!(text(&Layout::of(&job, true)), "a1+1 a3+1 a5 b1+1");
        job.options.pages = vec![PageRange { first: 2, last: 2 }, PageRange { first: 4, last: 4 }];
        job.documents[0].pages = 2;
        assert_eq!(text(&Layout::of(&job, false)), "a2+1 b2+1");
    }

    #[test]
    fn a_printers_count_of_sides_becomes_pages() {
        let layout = Layout::of(&job(&[3, 1]), true); // a1 a2 a3 - b1
        let done: Vec<u32> = (0..=6).map(|n| layout.pages_done(n, 1)).collect();
        assert_eq!(done, [0, 1, 2, 3, 3, 4, 4]);
        assert_eq!(layout.pages_done(5 + 4, 2), 4 + 3);
        assert_eq!(layout.pages_done(99, 2), 8);
    }

    #[test]
    fn pages_in_a_row_are_one_run() {
        let layout = Layout::of(&job(&[4, 2]), true);
        assert_eq!(layout.run(0), Some((0, 1, 4)));
        assert_eq!(layout.run(4), Some((1, 1, 2)));
        assert_eq!(Layout::of(&job(&[1, 1]), true).run(1), None);
    }
}
