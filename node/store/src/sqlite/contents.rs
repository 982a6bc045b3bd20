//! Bytes of small documents, laid out so that deleting them leaves nothing behind.
//!
//! `secure_delete` overwrites what is deleted, but when SQLite moves rows from page to page to balance its
//! tree, copies may stay in the gaps of the old pages. Overflow pages are never moved, and are overwritten
//! when they are freed. So a document is stored with zeros around it, such that the part of the row which
//! stands in the tree is zeros only and all of the document is in overflow pages
//! (<https://www.sqlite.org/fileformat2.html>, section 1.6: U = 4096, M = 489).

/// Octets of a page of the database.
pub(super) const PAGE: usize = 4096;
/// What of a long row stands in the tree.
const LOCAL: usize = (PAGE - 12) * 32 / 255 - 23;
/// What of a row goes into one overflow page.
const OVERFLOW: usize = PAGE - 4;

/// Lays a document out as a row's blob.
pub(super) fn lay_out(document: &[u8], blob: &mut Vec<u8>) {
    let pages = document.len().div_ceil(OVERFLOW).max(1);
    let octets = LOCAL + pages * OVERFLOW;
    // The row's own header: its size, a null for the number, the blob's size.
    let header = 2 + if octets * 2 + 12 < 1 << 14 { 2 } else { 3 };
    blob.clear();
    blob.resize(LOCAL, 0);
    blob.extend_from_slice(document);
    // A document that fills its last page leaves no room for the header: then one more page.
    let octets = if LOCAL + document.len() + header > octets { octets + OVERFLOW } else { octets };
    let header = 2 + if octets * 2 + 12 < 1 << 14 { 2 } else { 3 };
    blob.resize(octets - header, 0);
}

/// Finds the document in a row's blob.
pub(super) fn take_out(blob: &[u8], octets: usize) -> Option<&[u8]> {
    blob.get(LOCAL..LOCAL.checked_add(octets)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_zeros_stand_in_the_tree() {
        for octets in [0, 1, 300, 4000, 4087, 4088, 4089, 4092, 4093, 8000, 8180, 8184, 8185, 10_240, 65_535, 65_536] {
            let document = vec![0xab; octets];
            let mut blob = Vec::new();
            lay_out(&document, &mut blob);
            assert_eq!(take_out(&blob, octets), Some(&document[..]));
            // As in the file format: P octets of payload, X the most that stays in the tree.
            let header = 2 + if blob.len() * 2 + 12 < 1 << 14 { 2 } else { 3 };
            let p = blob.len() + header;
            assert!(p > PAGE - 35, "{octets}");
            let k = LOCAL + (p - LOCAL) % OVERFLOW;
            let local = if k <= PAGE - 35 { k } else { LOCAL };
            assert!(blob[..local - header].iter().all(|octet| *octet == 0), "{octets}: {local} octets in the tree");
        }
    }
}
