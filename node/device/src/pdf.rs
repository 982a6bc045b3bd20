//! One PDF of all pages of a job: the compressed pixels of each PNG are put into it as they are
//! (PDF 1.7, FlateDecode with PNG predictors), so nothing is compressed twice.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A page of the PDF.
#[derive(Debug, Clone)]
pub(crate) struct PdfPage {
    /// A PNG as [`PageWriter`](crate::page_image::PageWriter) writes it.
    pub(crate) png: PathBuf,
    /// Pages of the same number show the same picture: copies.
    pub(crate) picture: u32,
    pub(crate) resolution: (u32, u32),
}

/// Writes the pages in their order.
pub(crate) fn write(to: &Path, pages: &[PdfPage]) -> io::Result<()> {
    let mut pdf = Pdf { out: BufWriter::new(File::create(to)?), at: 0, offsets: Vec::new() };
    pdf.put(b"%PDF-1.7\n%\xE2\xE3\xCF\xD3\n")?;
    let catalog = pdf.reserve();
    let tree = pdf.reserve();
    let mut pictures: HashMap<u32, Picture> = HashMap::new();
    let mut kids = Vec::new();
    for page in pages {
        let picture = match pictures.get(&page.picture) {
            Some(picture) => *picture,
            None => {
                let picture = pdf.picture(&page.png)?;
                pictures.insert(page.picture, picture);
                picture
            }
        };
        let points = |pixels: u32, dpi: u32| f64::from(pixels) * 72.0 / f64::from(dpi.max(1));
        let (width, height) = (points(picture.width, page.resolution.0), points(picture.height, page.resolution.1));
        let content = format!("q {width:.3} 0 0 {height:.3} 0 0 cm /P Do Q\n");
        let content_id = pdf.object(&format!("<< /Length {} >>\nstream\n{content}endstream", content.len()))?;
        kids.push(pdf.object(&format!(
            "<< /Type /Page /Parent {tree} 0 R /MediaBox [0 0 {width:.3} {height:.3}] \
             /Resources << /XObject << /P {} 0 R >> >> /Contents {content_id} 0 R >>",
            picture.id
        ))?);
    }
    let references: Vec<String> = kids.iter().map(|id| format!("{id} 0 R")).collect();
    pdf.put_object(tree, &format!("<< /Type /Pages /Count {} /Kids [{}] >>", kids.len(), references.join(" ")))?;
    pdf.put_object(catalog, &format!("<< /Type /Catalog /Pages {tree} 0 R >>"))?;
    pdf.end(catalog)
}

#[derive(Clone, Copy)]
struct Picture {
    id: usize,
    width: u32,
    height: u32,
}

struct Pdf {
    out: BufWriter<File>,
    at: u64,
    /// Of each object, from 1.
    offsets: Vec<u64>,
}

impl Pdf {
    fn put(&mut self, octets: &[u8]) -> io::Result<()> {
        self.at += octets.len() as u64;
        self.out.write_all(octets)
    }

    fn reserve(&mut self) -> usize {
        self.offsets.push(0);
        self.offsets.len()
    }

    fn object(&mut self, body: &str) -> io::Result<usize> {
        let id = self.reserve();
        self.put_object(id, body)?;
        Ok(id)
    }

    fn put_object(&mut self, id: usize, body: &str) -> io::Result<()> {
        self.offsets[id - 1] = self.at;
        self.put(format!("{id} 0 obj\n{body}\nendobj\n").as_bytes())
    }

    fn picture(&mut self, png: &Path) -> io::Result<Picture> {
        let mut chunks = Chunks::open(png)?;
        let header = &chunks.header;
        let (width, height) = (be_u32(&header[0..4]), be_u32(&header[4..8]));
        let (space, colors) = if header[9] == 2 { ("/DeviceRGB", 3) } else { ("/DeviceGray", 1) };
        let bits = header[8];
        let octets: u64 = chunks.data.iter().map(|(_, length)| u64::from(*length)).sum();
        let id = self.reserve();
        self.offsets[id - 1] = self.at;
        self.put(
            format!(
                "{id} 0 obj\n<< /Type /XObject /Subtype /Image /Width {width} /Height {height} /ColorSpace {space} \
                 /BitsPerComponent {bits} /Filter /FlateDecode /DecodeParms << /Predictor 15 /Colors {colors} \
                 /BitsPerComponent {bits} /Columns {width} >> /Length {octets} >>\nstream\n"
            )
            .as_bytes(),
        )?;
        for (offset, length) in std::mem::take(&mut chunks.data) {
            chunks.file.seek(SeekFrom::Start(offset))?;
            let copied = io::copy(&mut (&mut chunks.file).take(u64::from(length)), &mut self.out)?;
            self.at += copied;
        }
        self.put(b"\nendstream\nendobj\n")?;
        Ok(Picture { id, width, height })
    }

    fn end(mut self, catalog: usize) -> io::Result<()> {
        let table_at = self.at;
        let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", self.offsets.len() + 1);
        for offset in &self.offsets {
            table.push_str(&format!("{offset:010} 00000 n \n"));
        }
        table.push_str(&format!(
            "trailer\n<< /Size {} /Root {catalog} 0 R >>\nstartxref\n{table_at}\n%%EOF\n",
            self.offsets.len() + 1
        ));
        self.put(table.as_bytes())?;
        self.out.flush()
    }
}

/// Where the compressed pixels of a PNG are.
struct Chunks {
    file: BufReader<File>,
    header: [u8; 13],
    data: Vec<(u64, u32)>,
}

impl Chunks {
    fn open(png: &Path) -> io::Result<Self> {
        let mut file = BufReader::new(File::open(png)?);
        let mut at = 8;
        file.seek(SeekFrom::Start(at))?;
        let mut header = [0; 13];
        let mut data = Vec::new();
        loop {
            let mut head = [0; 8];
            file.read_exact(&mut head)?;
            let length = be_u32(&head[..4]);
            match &head[4..] {
                b"IHDR" => {
                    file.read_exact(&mut header)?;
                }
                b"IDAT" => data.push((at + 8, length)),
                b"IEND" => return Ok(Self { file, header, data }),
                _ => {}
            }
            // The chunk's own checksum follows its data.
            at += 8 + u64::from(length) + 4;
            file.seek(SeekFrom::Start(at))?;
        }
    }
}

fn be_u32(octets: &[u8]) -> u32 {
    octets.iter().fold(0, |number, octet| (number << 8) | u32::from(*octet))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page_image::PageWriter;
    use tympan_raster::PixelType;

    #[test]
    fn copies_share_a_picture_and_every_offset_is_right() {
        let folder = tempfile::tempdir().unwrap();
        let mut pages = Vec::new();
        for (number, pixel, row) in [(1, PixelType::SRGB_8, vec![9u8; 300]), (2, PixelType::BLACK_1, vec![0xF0; 13])] {
            let png = folder.path().join(format!("{number}.png"));
            let mut writer = PageWriter::begin(&png, number, pixel, (100, 50), (100, 100)).unwrap().unwrap();
            writer.row(&row, 50).unwrap();
            let page = writer.finish().unwrap();
            // The test keeps the file that the page would take with it.
            std::fs::hard_link(page.file.path(), png.with_extension("kept")).unwrap();
            let png = png.with_extension("kept");
            pages.push(PdfPage { png, picture: number, resolution: (100, 100) });
        }
        let twice: Vec<PdfPage> = pages.iter().chain(&pages).cloned().collect();
        let to = folder.path().join("job.pdf");
        write(&to, &twice).unwrap();
        let octets = std::fs::read(&to).unwrap();
        let find = |what: &[u8]| octets.windows(what.len()).filter(|w| *w == what).count();
        assert_eq!((find(b"/Subtype /Image"), find(b"/Type /Page /Parent")), (2, 4));
        assert_eq!(find(b"/MediaBox [0 0 72.000 36.000]"), 4);
        let text = String::from_utf8_lossy(&octets);
        let table_at: usize = text.rsplit("startxref\n").next().unwrap().lines().next().unwrap().parse().unwrap();
        assert_eq!(&octets[table_at..table_at + 4], b"xref");
        let table = String::from_utf8_lossy(&octets[table_at..]).into_owned();
        for (id, line) in table.lines().skip(3).take_while(|l| l.ends_with(" n ")).enumerate() {
            let offset: usize = line[..10].parse().unwrap();
            let want = format!("{} 0 obj", id + 1);
            assert_eq!(&octets[offset..offset + want.len()], want.as_bytes());
        }
    }
}
