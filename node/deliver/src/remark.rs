//! What a sender is told about the parts of a job: sentences that can be said in another language later.
//!
//! A job keeps its remarks as English sentences, so that everybody who shows a job can show them. Each
//! sentence comes from a template, and [`in_language`] finds the template again and says it in the
//! reader's language; a sentence of nobody's template stays as it is.

use std::fmt;

use tympan_engine::Language;
use tympan_render::RefusalKind;

/// A remark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remark {
    /// A document cannot be printed.
    NotPrinted {
        /// Its name.
        name: String,
        /// Why.
        kind: RefusalKind,
        /// What it is, where that is the reason.
        format: String,
    },
    /// There is no attachment, and only attachments were to be printed.
    NoAttachment,
    /// There is nothing in the mail.
    NothingToPrint,
    /// The whole mail is encrypted.
    MailEncrypted,
    /// A document has none of the pages that were asked for.
    NoSuchPages {
        /// Its name.
        name: String,
    },
    /// More documents than one job may have.
    TooManyDocuments {
        /// The document that was left out.
        name: String,
        /// The limit.
        limit: u32,
    },
    /// Characters without a face.
    MissingCharacters {
        /// The document.
        name: String,
        /// The characters.
        characters: String,
    },
    /// Something on a page may be missing or look different.
    Uncertain {
        /// The document.
        name: String,
        /// The page.
        page: u32,
    },
    /// A face was replaced.
    FontReplaced {
        /// The document.
        name: String,
        /// The face.
        font: String,
    },
    /// Some characters were damaged.
    TextDamaged {
        /// The document.
        name: String,
    },
    /// Parts were left out.
    PartsLeftOut,
    /// A part lies elsewhere.
    PartElsewhere,
    /// A part is encrypted.
    PartEncrypted {
        /// Its name.
        name: String,
    },
    /// A part is damaged.
    PartDamaged {
        /// Its name.
        name: String,
    },
    /// Two-sided was asked for.
    OneSidedOnly,
    /// Colour was asked for.
    BlackOnly,
    /// Only print data is left, and this printer does not take it.
    MadeForAnother,
    /// The stored bytes are damaged.
    StoredDataDamaged,
}

/// English and Japanese; `{}` stands for an argument.
type Template = (&'static str, &'static str);

const NOT_PRINTED: Template = ("{} was not printed: {}", "「{}」は印刷されませんでした。{}");
const NOT_PRINTED_KIND: Template = (
    "{} was not printed: files of this kind ({}) cannot be printed; PDF, JPEG, PNG and text can.",
    "「{}」は印刷されませんでした。この種類のファイル（{}）は印刷できません。印刷できるのはPDF、JPEG、PNG、テキストです。",
);
const ENCRYPTED: Template = (
    "it is protected by a password; please send it without.",
    "パスワードで保護されています。保護を外して送ってください。",
);
const BROKEN: Template =
    ("it is damaged, or not what its name says.", "ファイルが壊れているか、名前と中身が違います。");
const EMPTY: Template = ("there is nothing in it.", "中身がありません。");
const MANY_PAGES: Template =
    ("it has more pages than are printed from one document.", "ページ数が上限を超えています。");
const NO_SUCH_PAGE: Template = ("the pages asked for are not in it.", "指定されたページがありません。");
const PAGE_TOO_LARGE: Template =
    ("a page in it is too large or too small to be printed.", "ページの大きさが印刷できる範囲にありません。");
const IMAGE_TOO_LARGE: Template = ("a picture in it has too many pixels.", "画像の画素数が多すぎます。");
const UNKNOWN_TYPE: Template = (
    "files of this kind cannot be printed; PDF, JPEG, PNG and text can.",
    "この種類のファイルは印刷できません。印刷できるのはPDF、JPEG、PNG、テキストです。",
);
const TOO_LARGE: Template = ("it is too large.", "ファイルが大きすぎます。");
const TOO_MUCH_MEMORY: Template = ("it needs more memory than one document may.", "必要なメモリが多すぎます。");
const TOO_MUCH_TIME: Template = ("it takes too long to prepare.", "準備に時間がかかりすぎます。");
const RENDERER_FAILED: Template = ("the renderer failed on it.", "印刷の準備に失敗しました。");
const NO_ATTACHMENT: Template = ("There is no attachment to print.", "印刷する添付ファイルがありません。");
const NOTHING: Template = ("There is nothing in the mail to print.", "メールに印刷するものがありません。");
const MAIL_ENCRYPTED: Template =
    ("The mail is encrypted; nothing of it can be printed.", "メールが暗号化されているため、印刷できません。");
const TOO_MANY: Template = (
    "{} was not printed: at most {} documents of one mail are.",
    "「{}」は印刷されませんでした。1通のメールで印刷できるのは{}文書までです。",
);
const MISSING: Template = (
    "{}: there is no font for these characters, so their numbers are printed: {}",
    "「{}」: 次の文字のフォントがないため、文字番号で印刷します: {}",
);
const UNCERTAIN: Template = (
    "{}: something on page {} may be missing or look different.",
    "「{}」: {}ページの一部が欠けるか、違って見えることがあります。",
);
const FONT: Template = (
    "{}: the font {} is not in the document and was replaced.",
    "「{}」: フォント {} が文書に含まれていないため、別のフォントで印刷します。",
);
const DAMAGED_TEXT: Template = (
    "{}: some characters were damaged and are printed as replacement characters.",
    "「{}」: 壊れた文字があり、代わりの記号で印刷します。",
);
const LEFT_OUT: Template = (
    "Some parts of the mail were left out: there are too many, or they are nested too deeply.",
    "メールの一部は、数が多すぎるか入れ子が深すぎるため、印刷されませんでした。",
);
const ELSEWHERE: Template = (
    "A part of the mail is not in the mail itself and was not printed.",
    "メール本体に含まれていない部分は印刷されませんでした。",
);
const PART_ENCRYPTED: Template =
    ("{} is encrypted and was not printed.", "「{}」は暗号化されているため、印刷されませんでした。");
const PART_DAMAGED: Template =
    ("{} is damaged; what could be read is printed.", "「{}」は壊れているため、読み取れた部分だけを印刷します。");
const ONE_SIDED: Template = ("This printer prints on one side only.", "このプリンターは片面印刷だけです。");
const BLACK: Template = ("This printer prints in black only.", "このプリンターは白黒印刷だけです。");
const FOR_ANOTHER: Template =
    ("Only print data for another printer is left of it.", "別のプリンター用の印刷データしか残っていません。");
const STORED_DAMAGED: Template = ("Its stored data is damaged.", "保存されたデータが壊れています。");

/// Sentences that other crates write in English, to be found when they are shown.
const OTHERS: [Template; 11] = [
    ("Unknown word in the subject: {}", "件名に分からない言葉があります: {}"),
    ("Unknown words in the subject: {}", "件名に分からない言葉があります: {}"),
    ("the printer aborted it each time", "プリンターが毎回中止しました"),
    ("the printer aborted it", "プリンターが中止しました"),
    ("the line to the printer broke", "プリンターとの通信が切れました"),
    ("the printer no longer knows the job", "プリンターにジョブの記録がありません"),
    ("the printer refused it after it had taken data", "プリンターがデータの途中で受け付けなくなりました"),
    (
        "The printer takes neither PDF nor PWG Raster, only: {}.",
        "このプリンターはPDFもPWG Rasterも受け付けません（{}）。",
    ),
    ("REPRINT of {}, page 1 may exist already", "{} の再印刷（1ページ目は印刷済みの可能性があります）"),
    ("REPRINT of {}, pages 1-{} may exist already", "{} の再印刷（1～{}ページは印刷済みの可能性があります）"),
    ("REPRINT of {}", "{} の再印刷"),
];

/// All templates; one that begins like another comes first if it says more.
const ALL: [Template; 21] = [
    NOT_PRINTED_KIND,
    TOO_MANY,
    NOT_PRINTED,
    NO_ATTACHMENT,
    NOTHING,
    MAIL_ENCRYPTED,
    MISSING,
    UNCERTAIN,
    FONT,
    DAMAGED_TEXT,
    LEFT_OUT,
    ELSEWHERE,
    PART_ENCRYPTED,
    PART_DAMAGED,
    ONE_SIDED,
    BLACK,
    FOR_ANOTHER,
    STORED_DAMAGED,
    NO_SUCH_PAGE,
    EMPTY,
    TOO_LARGE,
];

const fn reason(kind: RefusalKind) -> Template {
    match kind {
        RefusalKind::Encrypted => ENCRYPTED,
        RefusalKind::Broken => BROKEN,
        RefusalKind::Empty => EMPTY,
        RefusalKind::TooManyPages => MANY_PAGES,
        RefusalKind::NoSuchPage => NO_SUCH_PAGE,
        RefusalKind::PageTooLarge => PAGE_TOO_LARGE,
        RefusalKind::ImageTooLarge => IMAGE_TOO_LARGE,
        RefusalKind::UnknownType => UNKNOWN_TYPE,
        RefusalKind::TooLarge => TOO_LARGE,
        RefusalKind::TooMuchMemory => TOO_MUCH_MEMORY,
        RefusalKind::TooMuchTime => TOO_MUCH_TIME,
        _ => RENDERER_FAILED,
    }
}

/// Reasons, which stand within another sentence.
const REASONS: [Template; 12] = [
    ENCRYPTED,
    BROKEN,
    EMPTY,
    MANY_PAGES,
    NO_SUCH_PAGE,
    PAGE_TOO_LARGE,
    IMAGE_TOO_LARGE,
    UNKNOWN_TYPE,
    TOO_LARGE,
    TOO_MUCH_MEMORY,
    TOO_MUCH_TIME,
    RENDERER_FAILED,
];

impl Remark {
    fn parts(&self) -> (Template, Vec<String>) {
        match self {
            Self::NotPrinted { name, kind: RefusalKind::UnknownType, format } if !format.is_empty() => {
                (NOT_PRINTED_KIND, vec![name.clone(), format.clone()])
            }
            Self::NotPrinted { name, kind, .. } => (NOT_PRINTED, vec![name.clone(), reason(*kind).0.to_owned()]),
            Self::NoAttachment => (NO_ATTACHMENT, Vec::new()),
            Self::NothingToPrint => (NOTHING, Vec::new()),
            Self::MailEncrypted => (MAIL_ENCRYPTED, Vec::new()),
            Self::NoSuchPages { name } => (NOT_PRINTED, vec![name.clone(), NO_SUCH_PAGE.0.to_owned()]),
            Self::TooManyDocuments { name, limit } => (TOO_MANY, vec![name.clone(), limit.to_string()]),
            Self::MissingCharacters { name, characters } => (MISSING, vec![name.clone(), characters.clone()]),
            Self::Uncertain { name, page } => (UNCERTAIN, vec![name.clone(), page.to_string()]),
            Self::FontReplaced { name, font } => (FONT, vec![name.clone(), font.clone()]),
            Self::TextDamaged { name } => (DAMAGED_TEXT, vec![name.clone()]),
            Self::PartsLeftOut => (LEFT_OUT, Vec::new()),
            Self::PartElsewhere => (ELSEWHERE, Vec::new()),
            Self::PartEncrypted { name } => (PART_ENCRYPTED, vec![name.clone()]),
            Self::PartDamaged { name } => (PART_DAMAGED, vec![name.clone()]),
            Self::OneSidedOnly => (ONE_SIDED, Vec::new()),
            Self::BlackOnly => (BLACK, Vec::new()),
            Self::MadeForAnother => (FOR_ANOTHER, Vec::new()),
            Self::StoredDataDamaged => (STORED_DAMAGED, Vec::new()),
        }
    }
}

/// The English sentence, as it is stored.
impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (template, arguments) = self.parts();
        f.write_str(&fill(template.0, &arguments))
    }
}

/// A stored sentence in the reader's language.
pub fn in_language(sentence: &str, language: Language) -> String {
    if language == Language::En {
        return sentence.to_owned();
    }
    for template in ALL.iter().chain(&OTHERS) {
        if let Some(mut arguments) = read(template.0, sentence) {
            for argument in &mut arguments {
                if let Some(reason) = REASONS.iter().find(|reason| reason.0 == argument) {
                    *argument = reason.1.to_owned();
                }
            }
            return fill(template.1, &arguments);
        }
    }
    sentence.to_owned()
}

fn fill(template: &str, arguments: &[String]) -> String {
    let mut out = String::new();
    for (n, literal) in template.split("{}").enumerate() {
        if n > 0 {
            out += arguments.get(n - 1).map_or("", String::as_str);
        }
        out += literal;
    }
    out
}

/// The arguments of a sentence, if it comes from this template.
fn read(template: &str, sentence: &str) -> Option<Vec<String>> {
    let literals: Vec<&str> = template.split("{}").collect();
    let (first, rest) = literals.split_first()?;
    let mut left = sentence.strip_prefix(first)?;
    let mut arguments = Vec::new();
    for (n, literal) in rest.iter().enumerate() {
        let is_last = n + 1 == rest.len();
        let at = match (is_last, literal.is_empty()) {
            (true, true) => left.len(),
            (true, false) => left.len().checked_sub(literal.len()).filter(|_| left.ends_with(literal))?,
            (false, _) => left.find(literal)?,
        };
        arguments.push(left[..at].to_owned());
        left = &left[at + literal.len()..];
    }
    left.is_empty().then_some(arguments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_sentence_is_said_in_the_readers_language() {
        let remark = Remark::NotPrinted { name: "a.pdf".into(), kind: RefusalKind::Encrypted, format: String::new() };
        let stored = remark.to_string();
        assert_eq!(stored, "a.pdf was not printed: it is protected by a password; please send it without.");
        let ja = in_language(&stored, Language::Ja);
        assert_eq!(ja, "「a.pdf」は印刷されませんでした。パスワードで保護されています。保護を外して送ってください。");
        assert_eq!(in_language(&stored, Language::En), stored);
        assert_eq!(in_language("Something else.", Language::Ja), "Something else.");
    }

    #[test]
    fn every_sentence_is_found_again() {
        let name = || String::from("請求書 (2).zip");
        let kinds = [
            RefusalKind::Encrypted,
            RefusalKind::Broken,
            RefusalKind::Empty,
            RefusalKind::TooManyPages,
            RefusalKind::NoSuchPage,
            RefusalKind::PageTooLarge,
            RefusalKind::ImageTooLarge,
            RefusalKind::UnknownType,
            RefusalKind::TooLarge,
            RefusalKind::TooMuchMemory,
            RefusalKind::TooMuchTime,
            RefusalKind::RendererFailed,
        ];
        let mut remarks: Vec<Remark> =
            kinds.map(|kind| Remark::NotPrinted { name: name(), kind, format: String::new() }).to_vec();
        remarks.extend([
            Remark::NotPrinted { name: name(), kind: RefusalKind::UnknownType, format: "ZIP archive".into() },
            Remark::NoAttachment,
            Remark::NothingToPrint,
            Remark::MailEncrypted,
            Remark::NoSuchPages { name: name() },
            Remark::TooManyDocuments { name: name(), limit: 20 },
            Remark::MissingCharacters { name: name(), characters: "𠮷".into() },
            Remark::Uncertain { name: name(), page: 3 },
            Remark::FontReplaced { name: name(), font: "Arial".into() },
            Remark::TextDamaged { name: name() },
            Remark::PartsLeftOut,
            Remark::PartElsewhere,
            Remark::PartEncrypted { name: name() },
            Remark::PartDamaged { name: name() },
            Remark::OneSidedOnly,
            Remark::BlackOnly,
            Remark::MadeForAnother,
            Remark::StoredDataDamaged,
        ]);
        for remark in remarks {
            let (template, arguments) = remark.parts();
            let english = remark.to_string();
            let japanese = in_language(&english, Language::Ja);
            assert_ne!(japanese, english);
            let begins = template.1.split("{}").next().unwrap();
            assert!(japanese.starts_with(begins), "{english} became {japanese}");
            if let Some(first) = arguments.first() {
                assert!(japanese.contains(first.as_str()), "{japanese}");
            }
        }
    }
}
