//! A printer on a temporary folder, a client that speaks to it, and documents to print.
#![allow(dead_code, reason = "each test program uses a part")]

use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;
use tympan_device::{DeviceOptions, VirtualPrinter};
use tympan_http::{Body, Client, ClientError, ClientOptions, ClientRequest, Target};
use tympan_ipp::{Attribute, GroupTag, Limits, Message, Operation, StatusCode, Value, decode};
use tympan_raster::PixelType;
use tympan_raster::pwg::{Encoder, PageHeader};
use tympan_render::Renderer;

/// A printer and the folder of its pages.
pub(crate) struct Rig {
    pub(crate) printer: VirtualPrinter,
    pub(crate) folder: TempDir,
    client: Client,
}

/// What came back.
pub(crate) struct Reply(pub(crate) Message);

impl Rig {
    /// A printer with all formats.
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// A printer with other options.
    pub(crate) async fn with(change: impl FnOnce(&mut DeviceOptions)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let renderer = Renderer::new(env!("CARGO_BIN_EXE_printer"), ["worker"]);
        let mut options = DeviceOptions::new(folder.path()).with_renderer(renderer);
        change(&mut options);
        let printer = VirtualPrinter::start(options).await.unwrap();
        let client = Client::new(ClientOptions {
            answer_time_out: Duration::from_secs(60),
            answer_octets_max: 4 << 20,
            ..ClientOptions::default()
        });
        Self { printer, folder, client }
    }

    /// The names of the files in the folder, sorted. Whoever reads a document that is not wanted any more needs a
    /// moment to notice: pages that are half done count only when they stay.
    pub(crate) async fn files(&self) -> Vec<String> {
        let quiet = async {
            while self.files_now().iter().any(|name| name.starts_with('.')) {
                tokio::task::yield_now().await;
            }
        };
        // Whoever asks sees what stayed.
        let _ = tokio::time::timeout(std::time::Duration::from_secs(60), quiet).await;
        self.files_now()
    }

    fn files_now(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// The pages among them.
    pub(crate) fn pages(&self) -> Vec<String> {
        self.files_now().into_iter().filter(|name| name.ends_with(".png")).collect()
    }

    /// A request to this printer.
    pub(crate) fn request(&self, operation: Operation) -> Message {
        Message::request(operation, 1, self.printer.ipp_uri()).operation("requesting-user-name", Value::name("anna"))
    }

    /// Sends a request with a document.
    pub(crate) async fn try_send(&self, request: &Message, document: &[u8]) -> Result<Reply, ClientError> {
        let mut octets = request.encode();
        octets.extend_from_slice(document);
        let target = Target::parse(&self.printer.ipp_uri()).unwrap();
        let answer = self.client.request(ClientRequest::post(&target, "application/ipp", Body::full(octets))).await?;
        assert_eq!(answer.status, 200);
        let body = answer.body.collect().await?;
        Ok(Reply(decode(&body, &Limits::RESPONSE).unwrap().message))
    }

    /// Sends a request that must be answered.
    pub(crate) async fn send(&self, request: &Message, document: &[u8]) -> Reply {
        self.try_send(request, document).await.unwrap()
    }

    /// Prints a document; gives its job-id.
    pub(crate) async fn print(&self, format: &str, document: &[u8]) -> i32 {
        self.print_with(format, document, |message| message).await
    }

    /// Prints a document with job attributes; gives its job-id.
    pub(crate) async fn print_with(&self, format: &str, document: &[u8], with: impl FnOnce(Message) -> Message) -> i32 {
        let request = self
            .request(Operation::PrintJob)
            .operation("job-name", Value::name("a test"))
            .operation("document-format", Value::mime_media_type(format));
        let reply = self.send(&with(request), document).await;
        assert_eq!(reply.status(), StatusCode::SuccessfulOk, "{:?}", reply.0);
        reply.job("job-id").integer().unwrap()
    }

    /// "job-state" and "job-state-reasons" as the printer tells them.
    pub(crate) async fn job_state(&self, id: i32) -> (i32, Vec<String>) {
        let reply = self.send(&self.request(Operation::GetJobAttributes).operation("job-id", id), b"").await;
        assert_eq!(reply.status(), StatusCode::SuccessfulOk);
        let reasons = reply.job("job-state-reasons").strings().map(str::to_owned).collect();
        (reply.job("job-state").enum_().unwrap(), reasons)
    }

    /// Waits until a job ended; gives its state.
    pub(crate) async fn ended(&self, id: i32) -> String {
        let state = self
            .printer
            .wait_for(|state| {
                state.job(id).is_some_and(|j| matches!(j.state.as_str(), "completed" | "aborted" | "canceled"))
            })
            .await
            .unwrap();
        state.job(id).unwrap().state.clone()
    }

    /// Printer attributes by name.
    pub(crate) async fn printer_attributes(&self, names: &[&str]) -> Reply {
        let request = self
            .request(Operation::GetPrinterAttributes)
            .operation("requested-attributes", Value::keywords(names.iter().copied()));
        self.send(&request, b"").await
    }
}

impl Reply {
    pub(crate) fn status(&self) -> StatusCode {
        self.0.status_code()
    }

    pub(crate) fn job(&self, name: &str) -> &Attribute {
        self.0.get(GroupTag::Job, name).unwrap_or_else(|| panic!("no {name} in {:?}", self.0))
    }

    pub(crate) fn printer(&self, name: &str) -> &Attribute {
        self.0.get(GroupTag::Printer, name).unwrap_or_else(|| panic!("no {name} in {:?}", self.0))
    }

    pub(crate) fn strings(&self, name: &str) -> Vec<String> {
        self.printer(name).strings().map(str::to_owned).collect()
    }
}

/// PWG Raster of A4 pages at 75 dpi, each with a grey stripe whose shade is its number.
pub(crate) fn raster(pages: u8) -> Vec<u8> {
    raster_with(pages, |_, _| {})
}

/// The same with other headers.
pub(crate) fn raster_with(pages: u8, change: impl Fn(u8, &mut PageHeader)) -> Vec<u8> {
    let (mut encoder, mut out) = (Encoder::new(), Vec::new());
    encoder.start(&mut out);
    for page in 1..=pages {
        let mut header = PageHeader::new(PixelType::SGRAY_8, 620, 877, 75);
        header.total_page_count = u32::from(pages);
        change(page, &mut header);
        let width = header.bytes_per_line() as usize;
        encoder.page(&header, &mut out).unwrap();
        for line in 0..header.height {
            let shade = if (100..120).contains(&line) { page } else { 255 };
            encoder.lines(&vec![shade; width], &mut out).unwrap();
        }
        encoder.end_page(&mut out).unwrap();
    }
    out
}

/// A PDF of A4 pages, each with its number and a red square.
pub(crate) fn pdf(pages: usize) -> Vec<u8> {
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        String::new(),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let mut kids = Vec::new();
    for page in 1..=pages {
        let content = format!("1 0 0 rg 100 100 {} 200 re f BT /F1 72 Tf 72 600 Td ({page}) Tj ET", page * 50);
        objects.push(format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()));
        let contents = objects.len();
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> \
             /Contents {contents} 0 R >>"
        ));
        kids.push(format!("{} 0 R", objects.len()));
    }
    objects[1] = format!("<< /Type /Pages /Count {pages} /Kids [{}] >>", kids.join(" "));
    let mut out = b"%PDF-1.4\n".to_vec();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (index, object) in objects.iter().enumerate() {
        table.push_str(&format!("{:010} 00000 n \n", out.len()));
        out.extend_from_slice(format!("{} 0 obj\n{object}\nendobj\n", index + 1).as_bytes());
    }
    let start = out.len();
    table.push_str(&format!("trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n", objects.len() + 1));
    out.extend_from_slice(table.as_bytes());
    out
}

/// A JPEG of one colour.
pub(crate) fn jpeg(width: u32, height: u32, color: [u8; 3]) -> Vec<u8> {
    let picture = image::RgbImage::from_pixel(width, height, image::Rgb(color));
    let mut out = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut out, image::ImageFormat::Jpeg).unwrap();
    out.into_inner()
}

/// A page as it was written, as grey values.
pub(crate) fn page(path: &Path) -> image::GrayImage {
    image::open(path).unwrap().to_luma8()
}
