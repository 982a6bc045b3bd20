//! Faces: those that are part of the program, and those of a folder.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use parley::fontique::{Blob, Collection, CollectionOptions, FontInfo, FontInfoOverride};

use crate::Fonts;

static SANS: &[u8] = include_bytes!("../../assets/fonts/DejaVuSans.ttf");
static MONO: &[u8] = include_bytes!("../../assets/fonts/DejaVuSansMono.ttf");
static JAPANESE: &[u8] = include_bytes!("../../assets/fonts/VL-Gothic-Regular.ttf");

/// Files of a font folder that are opened, at most.
const FILES_MAX: usize = 100;
/// Octets of one such file, at most.
const FILE_OCTETS_MAX: u64 = 48 << 20;
/// How deep a font folder is searched.
const FOLDER_DEPTH: u32 = 3;

type FaceData = Arc<dyn AsRef<[u8]> + Send + Sync>;

/// All faces a worker may use. Files are opened before the sandbox stands and read only when they are needed.
pub(crate) struct Faces {
    japanese: bool,
    files: Vec<Option<File>>,
    read: Vec<FaceData>,
}

impl Faces {
    /// Opens the files of the folder. A folder that cannot be read has no faces.
    pub(crate) fn open(fonts: &Fonts) -> Self {
        let mut files = Vec::new();
        if let Some(folder) = &fonts.folder {
            gather(folder, FOLDER_DEPTH, &mut files);
        }
        Self { japanese: fonts.embedded_japanese, files: files.into_iter().map(Some).collect(), read: Vec::new() }
    }

    /// The data of a face that has `character`, first ours, then the folder's; with its index in the file.
    pub(crate) fn data_with(&mut self, character: char) -> Option<(FaceData, u32)> {
        let embedded = [Some(SANS), self.japanese.then_some(JAPANESE)];
        for data in embedded.into_iter().flatten() {
            let data: FaceData = Arc::new(data);
            if let Some(index) = index_with(&data, character) {
                return Some((data, index));
            }
        }
        let mut at = 0;
        while let Some(data) = self.file_data(at) {
            if let Some(index) = index_with(&data, character) {
                return Some((data, index));
            }
            at += 1;
        }
        None
    }

    /// The data of the folder's file number `at`, read on first use.
    fn file_data(&mut self, at: usize) -> Option<FaceData> {
        while self.read.len() <= at {
            let file = self.files.get_mut(self.read.len())?.take()?;
            let mut data = Vec::new();
            // A file that cannot be read has no characters.
            if file.take(FILE_OCTETS_MAX).read_to_end(&mut data).is_err() {
                data.clear();
            }
            self.read.push(Arc::new(data));
        }
        self.read.get(at).cloned()
    }
}

fn gather(folder: &Path, depth: u32, files: &mut Vec<File>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    for path in paths {
        if files.len() >= FILES_MAX {
            return;
        }
        let extension = path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase);
        if path.is_dir() {
            if depth > 0 {
                gather(&path, depth - 1, files);
            }
        } else if matches!(extension.as_deref(), Some("ttf" | "otf" | "ttc" | "otc")) {
            files.extend(File::open(&path));
        }
    }
}

fn no_system_fonts() -> Collection {
    Collection::new(CollectionOptions { shared: false, system_fonts: false })
}

fn infos(data: &FaceData) -> Vec<FontInfo> {
    let registered = no_system_fonts().register_fonts(Blob::new(Arc::clone(data)), None);
    registered.into_iter().flat_map(|(_, fonts)| fonts).collect()
}

fn has(data: &FaceData, info: &FontInfo, character: char) -> bool {
    let charmap = info.charmap_index().charmap((**data).as_ref());
    charmap.and_then(|charmap| charmap.map(character)).is_some_and(|glyph| glyph != 0)
}

fn index_with(data: &FaceData, character: char) -> Option<u32> {
    infos(data).iter().find(|info| has(data, info, character)).map(FontInfo::index)
}

/// Families for one text: those that it needs, and what none of them can show.
pub(crate) struct Families {
    pub(crate) collection: Collection,
    /// Names in order of preference for proportional text.
    pub(crate) proportional: Vec<String>,
    /// Names in order of preference for text with columns.
    pub(crate) fixed: Vec<String>,
    /// What no face can show, sorted.
    pub(crate) missing: Vec<char>,
}

impl Families {
    /// `characters` are those of the text, each once, sorted; none that is invisible by nature.
    pub(crate) fn for_characters(faces: &mut Faces, characters: &[char]) -> Self {
        let mut collection = no_system_fonts();
        let mut register = |name: &str, data: FaceData| {
            let named = FontInfoOverride { family_name: Some(name), ..FontInfoOverride::default() };
            collection.register_fonts(Blob::new(data), Some(named));
        };
        let (sans, mono, japanese): (FaceData, FaceData, FaceData) =
            (Arc::new(SANS), Arc::new(MONO), Arc::new(JAPANESE));
        let lacks = |data: &FaceData, missing: &mut Vec<char>| {
            let infos = infos(data);
            missing.retain(|&character| !infos.iter().any(|info| has(data, info, character)));
        };
        let mut missing = characters.to_vec();
        lacks(&mono, &mut missing);
        let beyond_mono = !missing.is_empty();
        if beyond_mono {
            lacks(&sans, &mut missing);
        }
        // Looked up and registered only where the text needs it: it is large.
        let wants_japanese = faces.japanese && (!missing.is_empty() || characters.iter().copied().any(is_east_asian));
        register("tympan-sans", sans);
        register("tympan-mono", mono);
        if wants_japanese {
            lacks(&japanese, &mut missing);
            register("tympan-japanese", japanese);
        }
        let mut extra = Vec::new();
        let mut at = 0;
        while !missing.is_empty() {
            let Some(data) = faces.file_data(at) else {
                break;
            };
            let before = missing.len();
            lacks(&data, &mut missing);
            if missing.len() < before {
                let name = format!("tympan-folder-{at}");
                register(&name, data);
                extra.push(name);
            }
            at += 1;
        }
        let japanese = wants_japanese.then(|| "tympan-japanese".to_owned());
        let named = |names: [&str; 2]| names.map(str::to_owned).to_vec();
        let proportional =
            [named(["tympan-sans", "tympan-mono"]), japanese.iter().cloned().collect(), extra.clone()].concat();
        // With East Asian text its own half-width letters keep the columns: two of them are as wide as one of the others.
        let fixed = match &japanese {
            Some(japanese) if characters.iter().copied().any(is_east_asian) => {
                [vec![japanese.clone()], named(["tympan-mono", "tympan-sans"]), extra].concat()
            }
            _ => [named(["tympan-mono", "tympan-sans"]), japanese.into_iter().collect(), extra].concat(),
        };
        Self { collection, proportional, fixed, missing }
    }
}

/// Characters that stand on a square: CJK, kana, full-width forms.
pub(crate) fn is_east_asian(character: char) -> bool {
    matches!(character as u32, 0x1100..=0x11FF | 0x2E80..=0xA4CF | 0xAC00..=0xD7FF | 0xF900..=0xFAFF | 0xFE30..=0xFE4F | 0xFF00..=0xFF60 | 0xFFE0..=0xFFE6 | 0x20000..=0x3FFFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faces(embedded_japanese: bool, folder: Option<&Path>) -> Faces {
        Faces::open(&Fonts { embedded_japanese, folder: folder.map(Into::into) })
    }

    #[test]
    fn embedded_faces_show_european_and_japanese_text() {
        let characters: Vec<char> = "AzÄßλЖ€ — あ漢字ガｶ、。①㈱髙﨑".chars().filter(|c| *c != ' ').collect();
        assert_eq!(Families::for_characters(&mut faces(true, None), &characters).missing, Vec::<char>::new());
    }

    #[test]
    fn without_the_japanese_face_its_characters_are_missing() {
        let families = Families::for_characters(&mut faces(false, None), &['A', 'あ', '漢']);
        assert_eq!(families.missing, ['あ', '漢']);
    }

    #[test]
    fn a_folder_fills_the_gaps() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("ja")).unwrap();
        std::fs::write(folder.path().join("ja/gothic.TTF"), JAPANESE).unwrap();
        std::fs::write(folder.path().join("broken.ttf"), b"no font").unwrap();
        let mut faces = faces(false, Some(folder.path()));
        let families = Families::for_characters(&mut faces, &['A', 'あ', '한']);
        assert_eq!(families.missing, ['한']);
        assert!(faces.data_with('あ').is_some());
        assert!(faces.data_with('한').is_none());
    }
}
