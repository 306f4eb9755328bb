//! A small writer of DICOM files for tests: a valid CT slice by default, any element replaced, removed or
//! added, in the uncompressed encodings, deflated, and with pixels in fragments. It shares no code with the reader.

use std::collections::BTreeMap;
use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;

/// A DICOM file under construction.
///
/// ```
/// use tomobasis_dicom::testing::DicomFile;
/// let bytes = DicomFile::ct(2, 2, &[0, 1, 2, 3]).position(0.0, 0.0, 5.0).text((0x0028, 0x1053), "DS", "2").bytes();
/// assert_eq!(&bytes[128..132], b"DICM");
/// ```
#[derive(Clone, Debug)]
pub struct DicomFile {
    elements: BTreeMap<Tag, Element>,
    syntax: String,
    encoding: Encoding,
    meta: bool,
    deflated: bool,
}

/// Tag as group and element.
pub type Tag = (u16, u16);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Encoding {
    Explicit,
    Implicit,
    BigEndian,
}

#[derive(Clone, Debug)]
struct Element {
    vr: [u8; 2],
    value: Vec<u8>,
    undefined_length: bool,
}

impl DicomFile {
    /// A CT slice of `rows` x `columns` signed 16-bit pixels, Explicit VR Little Endian, axial, at the origin,
    /// with slope 1 and intercept 0, series UID 2.25.1 and an instance UID made from its instance number, 1.
    pub fn ct(rows: u16, columns: u16, pixels: &[i16]) -> Self {
        let file = DicomFile {
            elements: BTreeMap::new(),
            syntax: "1.2.840.10008.1.2.1".to_owned(),
            encoding: Encoding::Explicit,
            meta: true,
            deflated: false,
        };
        file.text((0x0008, 0x0008), "CS", "ORIGINAL\\PRIMARY\\AXIAL")
            .text((0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.2")
            .text((0x0008, 0x0060), "CS", "CT")
            .text((0x0010, 0x0010), "PN", "DOE^JOHN")
            .text((0x0020, 0x000E), "UI", "2.25.1")
            .text((0x0020, 0x0052), "UI", "2.25.2")
            .number(1)
            .position(0.0, 0.0, 0.0)
            .text((0x0020, 0x0037), "DS", "1\\0\\0\\0\\1\\0")
            .short((0x0028, 0x0002), 1)
            .text((0x0028, 0x0004), "CS", "MONOCHROME2")
            .short((0x0028, 0x0010), rows)
            .short((0x0028, 0x0011), columns)
            .text((0x0028, 0x0030), "DS", "0.5\\0.5")
            .bits(16, 16, true)
            .text((0x0028, 0x1052), "DS", "0")
            .text((0x0028, 0x1053), "DS", "1")
            .raw((0x7FE0, 0x0010), "OW", pixels.iter().flat_map(|pixel| pixel.to_le_bytes()).collect())
    }

    /// Sets Instance Number, and SOP Instance UID to `2.25.100.<number>`.
    pub fn number(self, number: u32) -> Self {
        self.text((0x0020, 0x0013), "IS", &number.to_string()).text(
            (0x0008, 0x0018),
            "UI",
            &format!("2.25.100.{number}"),
        )
    }

    /// Sets Image Position (Patient), mm.
    pub fn position(self, x: f64, y: f64, z: f64) -> Self {
        self.text((0x0020, 0x0032), "DS", &format!("{x}\\{y}\\{z}"))
    }

    /// Sets Bits Allocated, Bits Stored, High Bit and Pixel Representation.
    pub fn bits(self, allocated: u16, stored: u16, signed: bool) -> Self {
        self.short((0x0028, 0x0100), allocated)
            .short((0x0028, 0x0101), stored)
            .short((0x0028, 0x0102), stored.wrapping_sub(1))
            .short((0x0028, 0x0103), signed.into())
    }

    /// Sets a text element, padded to even length as its VR asks.
    pub fn text(self, tag: Tag, vr: &str, value: &str) -> Self {
        let mut bytes = value.as_bytes().to_vec();
        if bytes.len() % 2 == 1 {
            bytes.push(if vr == "UI" { 0 } else { b' ' });
        }
        self.raw(tag, vr, bytes)
    }

    /// Sets a US element.
    pub fn short(self, tag: Tag, value: u16) -> Self {
        self.raw(tag, "US", value.to_le_bytes().to_vec())
    }

    /// Sets any element to any bytes.
    pub fn raw(mut self, tag: Tag, vr: &str, value: Vec<u8>) -> Self {
        let mut letters = [b'?'; 2];
        letters.iter_mut().zip(vr.bytes()).for_each(|(letter, byte)| *letter = byte);
        self.elements.insert(tag, Element { vr: letters, value, undefined_length: false });
        self
    }

    /// Sets a sequence of undefined length with one item, which holds such a sequence, and so on, `depth` deep.
    /// The bytes are those of the explicit encoding.
    pub fn nested(mut self, tag: Tag, depth: usize) -> Self {
        let open =
            [b"\xFE\xFF\x00\xE0\xFF\xFF\xFF\xFF".as_slice(), b"\x08\x00\x40\x11SQ\0\0\xFF\xFF\xFF\xFF"]
                .concat();
        let item_end = b"\xFE\xFF\x0D\xE0\0\0\0\0";
        let sequence_end = b"\xFE\xFF\xDD\xE0\0\0\0\0";
        let mut value = open.repeat(depth - 1);
        value.extend([sequence_end.as_slice(), item_end].concat().repeat(depth - 1));
        value.extend(sequence_end);
        self.elements.insert(tag, Element { vr: *b"SQ", value, undefined_length: true });
        self
    }

    /// Sets a sequence: one item of [`elements`] bytes each.
    pub fn sequence(self, tag: Tag, items: &[Vec<u8>]) -> Self {
        self.raw(tag, "SQ", items.iter().flat_map(|content| item(content)).collect())
    }

    /// The same with undefined length, ended by a delimiter.
    pub fn sequence_of_undefined_length(self, tag: Tag, items: &[Vec<u8>]) -> Self {
        let mut file = self.sequence(tag, items);
        if let Some(sequence) = file.elements.get_mut(&tag) {
            sequence.undefined_length = true;
            sequence.value.extend(b"\xFE\xFF\xDD\xE0\0\0\0\0");
        }
        file
    }

    /// Turns the slice into an Enhanced CT image of several frames (PS3.3 A.38): one per position along z and per pair of slope
    /// and intercept, counted from 1 along one stack; orientation and spacing are shared. The pixel data is that of all frames.
    pub fn enhanced(self, frames: &[(f64, &str, &str)]) -> Self {
        let text = |tag, value: &str| elements(&[(tag, "DS", value.as_bytes())]);
        let one = |tag, content: Vec<u8>| elements(&[(tag, "SQ", &item(&content))]);
        let frame = |(&(z, slope, intercept), number): (&(f64, &str, &str), u32)| {
            let number = number.to_le_bytes();
            let content = [
                ((0x0020, 0x9056), "SH", &b"1"[..]),
                ((0x0020, 0x9057), "UL", &number),
                ((0x0020, 0x9157), "UL", &[[1, 0, 0, 0], number].concat()),
            ];
            let rescale =
                [((0x0028, 0x1052), "DS", intercept.as_bytes()), ((0x0028, 0x1053), "DS", slope.as_bytes())];
            [
                one((0x0020, 0x9111), elements(&content)),
                one((0x0020, 0x9113), text((0x0020, 0x0032), &format!("0\\0\\{z}"))),
                one((0x0028, 0x9145), elements(&rescale)),
                one(
                    (0x0018, 0x9329),
                    elements(&[((0x0008, 0x9007), "CS", b"ORIGINAL\\PRIMARY\\VOLUME\\NONE")]),
                ),
            ]
            .concat()
        };
        let shared = [
            one((0x0020, 0x9116), text((0x0020, 0x0037), "1\\0\\0\\0\\1\\0")),
            one((0x0028, 0x9110), text((0x0028, 0x0030), "0.5\\0.5")),
        ];
        let top = [(0x0020, 0x0032), (0x0020, 0x0037), (0x0028, 0x0030), (0x0028, 0x1052), (0x0028, 0x1053)];
        let bare = top.into_iter().fold(self, DicomFile::without);
        bare.text((0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.2.1")
            .text((0x0028, 0x0008), "IS", &frames.len().to_string())
            .sequence((0x5200, 0x9229), &[shared.concat()])
            .sequence((0x5200, 0x9230), &frames.iter().zip(1..).map(frame).collect::<Vec<_>>())
    }

    /// Removes an element.
    pub fn without(mut self, tag: Tag) -> Self {
        self.elements.remove(&tag);
        self
    }

    /// Writes the data set as Implicit VR Little Endian.
    pub fn implicit(mut self) -> Self {
        self.encoding = Encoding::Implicit;
        self.syntax = "1.2.840.10008.1.2".to_owned();
        self
    }

    /// Writes the data set as Explicit VR Big Endian.
    pub fn big_endian(mut self) -> Self {
        self.encoding = Encoding::BigEndian;
        self.syntax = "1.2.840.10008.1.2.2".to_owned();
        self
    }

    /// Deflates the data set.
    pub fn deflated(mut self) -> Self {
        self.deflated = true;
        self.syntax("1.2.840.10008.1.2.1.99")
    }

    /// Replaces the pixel data by fragments, after an empty table of offsets.
    pub fn encapsulated(self, syntax: &str, fragments: &[&[u8]]) -> Self {
        self.encapsulated_with_table(syntax, &[], fragments)
    }

    /// Replaces the pixel data by fragments, after a table of offsets.
    pub fn encapsulated_with_table(mut self, syntax: &str, table: &[u8], fragments: &[&[u8]]) -> Self {
        let mut value = Vec::new();
        for bytes in [&[table], fragments].concat() {
            value.extend(b"\xFE\xFF\x00\xE0");
            value.extend((bytes.len().next_multiple_of(2) as u32).to_le_bytes());
            value.extend(bytes);
            value.resize(value.len().next_multiple_of(2), 0);
        }
        value.extend(b"\xFE\xFF\xDD\xE0\0\0\0\0");
        self.elements.insert((0x7FE0, 0x0010), Element { vr: *b"OB", value, undefined_length: true });
        self.syntax(syntax)
    }

    /// Names another transfer syntax in the meta group; the bytes stay as they are.
    pub fn syntax(mut self, uid: &str) -> Self {
        self.syntax = uid.to_owned();
        self
    }

    /// Leaves out the preamble and the meta group.
    pub fn without_meta(mut self) -> Self {
        self.meta = false;
        self
    }

    /// The file.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if self.meta {
            let mut group = Vec::new();
            let mut uid = self.syntax.clone().into_bytes();
            uid.resize(uid.len().next_multiple_of(2), 0);
            let syntax = Element { vr: *b"UI", value: uid, undefined_length: false };
            write(&mut group, Encoding::Explicit, (0x0002, 0x0010), &syntax);
            out.resize(128, 0);
            out.extend(b"DICM");
            let value = (group.len() as u32).to_le_bytes().to_vec();
            let length = Element { vr: *b"UL", value, undefined_length: false };
            write(&mut out, Encoding::Explicit, (0x0002, 0x0000), &length);
            out.extend(group);
        }
        let mut data_set = Vec::new();
        for (&tag, element) in &self.elements {
            write(&mut data_set, self.encoding, tag, element);
        }
        out.extend(if self.deflated { deflate(&data_set) } else { data_set });
        out
    }
}

/// Elements in the explicit encoding, as the content of a sequence's item.
pub fn elements(all: &[(Tag, &str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for &(tag, vr, value) in all {
        let file = DicomFile { elements: BTreeMap::new(), ..DicomFile::ct(0, 0, &[]) };
        let mut value = value.to_vec();
        value.resize(value.len().next_multiple_of(2), b' ');
        let element = file.raw(tag, vr, value).elements.remove(&tag);
        element.iter().for_each(|element| write(&mut out, Encoding::Explicit, tag, element));
    }
    out
}

/// An item of known length.
fn item(content: &[u8]) -> Vec<u8> {
    [b"\xFE\xFF\x00\xE0", &(content.len() as u32).to_le_bytes()[..], content].concat()
}

/// A deflate stream of `bytes`.
pub fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).unwrap_or_default()
}

fn write(out: &mut Vec<u8>, encoding: Encoding, tag: Tag, element: &Element) {
    // Numbers in the order of the encoding, from their little-endian bytes.
    let ordered = |bytes: &[u8], size: usize| -> Vec<u8> {
        match encoding {
            Encoding::BigEndian => {
                bytes.chunks(size).flat_map(|number| number.iter().rev().copied()).collect()
            }
            _ => bytes.to_vec(),
        }
    };
    let length = if element.undefined_length { u32::MAX } else { element.value.len() as u32 };
    out.extend(ordered(&tag.0.to_le_bytes(), 2));
    out.extend(ordered(&tag.1.to_le_bytes(), 2));
    if encoding == Encoding::Implicit {
        out.extend(length.to_le_bytes());
    } else {
        out.extend(element.vr);
        if matches!(&element.vr, b"OB" | b"OV" | b"OW" | b"SQ" | b"UN" | b"UT") {
            out.extend([0, 0]);
            out.extend(ordered(&length.to_le_bytes(), 4));
        } else {
            out.extend(ordered(&(length as u16).to_le_bytes(), 2));
        }
    }
    let size = match &element.vr {
        b"US" | b"OW" => 2,
        b"UL" => 4,
        b"FD" => 8,
        _ => 1,
    };
    out.extend(ordered(&element.value, size));
}
