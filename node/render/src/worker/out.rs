//! Frames out, through a pipe that the parent reads at its own pace.

use std::fs::File;
use std::io::Write;

use bytes::Bytes;

use super::Stop;
use crate::frame::{Frame, PAYLOAD_OCTETS};
use crate::{Notice, Output};

pub(crate) struct Out {
    to: File,
    notices_left: u32,
}

/// Notices of one request; more say nothing new.
const NOTICES_MAX: u32 = 200;

impl Out {
    pub(crate) fn new(to: File) -> Self {
        Self { to, notices_left: NOTICES_MAX }
    }

    pub(crate) fn frame(&mut self, frame: &Frame) -> Result<(), Stop> {
        let (mut head, body) = frame.encode().map_err(|_| Stop::Unheard)?;
        if body.len() < 4096 {
            head.extend_from_slice(&body);
            return self.to.write_all(&head).map_err(|_| Stop::Unheard);
        }
        self.to.write_all(&head).and_then(|()| self.to.write_all(&body)).map_err(|_| Stop::Unheard)
    }

    pub(crate) fn output(&mut self, output: Output) -> Result<(), Stop> {
        self.frame(&Frame::Output(output))
    }

    pub(crate) fn notice(&mut self, notice: Notice) -> Result<(), Stop> {
        if self.notices_left == 0 {
            return Ok(());
        }
        self.notices_left -= 1;
        self.output(Output::Notice(notice))
    }

    /// All of `data` in frames, and the end of the part.
    pub(crate) fn part_data(&mut self, data: Bytes) -> Result<(), Stop> {
        let octets = data.len() as u64;
        let mut rest = data;
        while !rest.is_empty() {
            let chunk = rest.split_to(rest.len().min(PAYLOAD_OCTETS));
            self.output(Output::Data(chunk))?;
        }
        self.output(Output::PartEnd { octets })
    }
}
