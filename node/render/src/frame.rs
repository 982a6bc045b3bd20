//! Frames on the worker's standard output: what they look like in octets.
//!
//! A frame is a length (u32, little-endian, of what follows), a tag and a body. Facts are JSON; pixels and data are
//! as they are. Both ends are the same program, so the format needs no versions, only bounds.

use bytes::{Buf, Bytes};
use serde::{Deserialize, Serialize};

use crate::{DocumentFacts, MailFacts, Notice, Output, PageHeader, PartHeader, Refusal};

/// The largest frame, in octets.
pub(crate) const FRAME_OCTETS_MAX: usize = 8 << 20;
/// How many octets of pixels or data go into one frame, unless one row is longer.
pub(crate) const PAYLOAD_OCTETS: usize = 256 << 10;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Frame {
    Ready(Ready),
    Output(Output),
    Verdict(Verdict),
}

/// What the worker says when it is locked in, before it reads its input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ready {
    /// Whether the kernel keeps it from all files.
    pub(crate) files_locked: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    Fine,
    Refused(Refusal),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Fact {
    Mail(Box<MailFacts>),
    Document(DocumentFacts),
    Pages { total: u32, first: u32, last: u32 },
    PageStart(PageHeader),
    PageEnd { page: u32 },
    PartStart(Box<PartHeader>),
    PartEnd { octets: u64 },
    Notice(Notice),
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum FrameError {
    #[error("a frame of {octets} octets is longer than allowed")]
    TooLong { octets: usize },
    #[error("a frame is shorter than its head")]
    TooShort,
    #[error("a frame has the unknown tag {tag}")]
    UnknownTag { tag: u8 },
    #[error("a frame's facts could not be read")]
    Facts(#[from] serde_json::Error),
}

const READY: u8 = b'r';
const VERDICT: u8 = b'v';
const FACT: u8 = b'f';
const BAND: u8 = b'b';
const DATA: u8 = b'd';

impl Frame {
    /// Head and body as they go out; the body is not copied where it is data.
    pub(crate) fn encode(&self) -> Result<(Vec<u8>, Bytes), FrameError> {
        let (tag, extra, body) = match self {
            Self::Ready(ready) => (READY, Vec::new(), serde_json::to_vec(ready)?.into()),
            Self::Verdict(verdict) => (VERDICT, Vec::new(), serde_json::to_vec(verdict)?.into()),
            Self::Output(Output::Data(data)) => (DATA, Vec::new(), data.clone()),
            Self::Output(Output::Band { first_row, rows, data }) => {
                (BAND, [first_row.to_le_bytes(), rows.to_le_bytes()].concat(), data.clone())
            }
            Self::Output(output) => (FACT, Vec::new(), serde_json::to_vec(&Fact::of(output.clone()))?.into()),
        };
        let octets = 1 + extra.len() + body.len();
        if octets > FRAME_OCTETS_MAX {
            return Err(FrameError::TooLong { octets });
        }
        let mut head = Vec::with_capacity(5 + extra.len());
        head.extend((octets as u32).to_le_bytes());
        head.push(tag);
        head.extend(extra);
        Ok((head, body))
    }

    /// A frame from its octets without the length.
    pub(crate) fn decode(mut octets: Bytes) -> Result<Self, FrameError> {
        if octets.len() > FRAME_OCTETS_MAX {
            return Err(FrameError::TooLong { octets: octets.len() });
        }
        if octets.is_empty() {
            return Err(FrameError::TooShort);
        }
        Ok(match octets.get_u8() {
            READY => Self::Ready(serde_json::from_slice(&octets)?),
            VERDICT => Self::Verdict(serde_json::from_slice(&octets)?),
            FACT => Self::Output(serde_json::from_slice::<Fact>(&octets)?.into_output()),
            DATA => Self::Output(Output::Data(octets)),
            BAND if octets.len() >= 8 => {
                let first_row = octets.get_u32_le();
                let rows = octets.get_u32_le();
                Self::Output(Output::Band { first_row, rows, data: octets })
            }
            BAND => return Err(FrameError::TooShort),
            tag => return Err(FrameError::UnknownTag { tag }),
        })
    }
}

impl Fact {
    fn of(output: Output) -> Self {
        match output {
            Output::Mail(facts) => Self::Mail(facts),
            Output::Document(facts) => Self::Document(facts),
            Output::Pages { total, first, last } => Self::Pages { total, first, last },
            Output::PageStart(header) => Self::PageStart(header),
            Output::PageEnd { page } => Self::PageEnd { page },
            Output::PartStart(header) => Self::PartStart(header),
            Output::PartEnd { octets } => Self::PartEnd { octets },
            Output::Notice(notice) => Self::Notice(notice),
            Output::Data(_) | Output::Band { .. } => {
                unreachable!("data and bands are encoded before")
            }
        }
    }

    fn into_output(self) -> Output {
        match self {
            Self::Mail(facts) => Output::Mail(facts),
            Self::Document(facts) => Output::Document(facts),
            Self::Pages { total, first, last } => Output::Pages { total, first, last },
            Self::PageStart(header) => Output::PageStart(header),
            Self::PageEnd { page } => Output::PageEnd { page },
            Self::PartStart(header) => Output::PartStart(header),
            Self::PartEnd { octets } => Output::PartEnd { octets },
            Self::Notice(notice) => Output::Notice(notice),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::RefusalKind;

    fn there_and_back(frame: Frame) {
        let (head, body) = frame.encode().unwrap();
        let octets = [&head[4..], &body[..]].concat();
        assert_eq!(u32::from_le_bytes(head[..4].try_into().unwrap()) as usize, octets.len());
        assert_eq!(Frame::decode(octets.into()).unwrap(), frame);
    }

    #[test]
    fn frames_come_back_as_they_went() {
        there_and_back(Frame::Ready(Ready { files_locked: true }));
        there_and_back(Frame::Verdict(Verdict::Fine));
        there_and_back(Frame::Verdict(Verdict::Refused(Refusal::new(RefusalKind::Broken, "It is damaged."))));
        there_and_back(Frame::Output(Output::Pages { total: 7, first: 2, last: 3 }));
        there_and_back(Frame::Output(Output::Notice(Notice::MissingCharacters {
            characters: "𠮷\"".into(),
            different: 1,
        })));
        there_and_back(Frame::Output(Output::Band { first_row: 1024, rows: 2, data: vec![1, 2, 3, 4].into() }));
        there_and_back(Frame::Output(Output::Data(Bytes::from_static(b"octets"))));
    }

    #[test]
    fn a_frame_at_the_limit_passes_and_one_octet_more_does_not() {
        let at_limit = Frame::Output(Output::Data(vec![0; FRAME_OCTETS_MAX - 1].into()));
        there_and_back(at_limit);
        let over = Frame::Output(Output::Data(vec![0; FRAME_OCTETS_MAX].into()));
        assert!(matches!(over.encode(), Err(FrameError::TooLong { .. })));
    }

    proptest! {
        #[test]
        fn no_octets_make_decode_panic(octets in proptest::collection::vec(any::<u8>(), 0..64), tag in 0usize..6) {
            let mut octets = octets;
            if let (Some(first), Some(&tag)) = (octets.first_mut(), b"rvfbd".get(tag)) {
                *first = tag;
            }
            let _ = Frame::decode(octets.into());
        }
    }
}
