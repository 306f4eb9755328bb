//! What was read of some files, on its way to the process that puts together what is known of all: headers are parsed where the files are
//! read, series are found where all headers are.

use std::collections::BTreeSet;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use super::{Broken, Content, File, Inventory};
use crate::error::Error;
use crate::header::{NotAnImage, SliceHeader};
use crate::problem::Problem;
use crate::unread::Unread;

/// A part of an [`Inventory`] in a form that serde can write.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InventoryPart(Vec<FilePart>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct FilePart {
    index: usize,
    id: String,
    shape: String,
    folder: String,
    length: Option<u64>,
    content: ContentPart,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum ContentPart {
    NotDicom(Option<String>),
    Directory,
    Object(String),
    Color,
    NoPosition,
    Broken {
        series: Option<String>,
        instance: Option<String>,
        position_mm: Option<[f64; 3]>,
        volumetric: bool,
        slices: Option<usize>,
        problem: String,
    },
    Slices(Vec<SliceHeader>),
    Unread(Unread),
}

impl Inventory {
    /// What this inventory knows of its files, but for pixels.
    #[must_use]
    pub fn part(&self) -> InventoryPart {
        let part = |(&index, file): (&usize, &File)| FilePart {
            index,
            id: file.id.clone(),
            shape: file.shape.clone(),
            folder: file.folder.clone(),
            length: file.length,
            content: ContentPart::of(&file.content),
        };
        InventoryPart(self.files.iter().map(part).collect())
    }

    /// Takes what another inventory knows of other files of the same listing; parts may come in any order.
    ///
    /// # Errors
    /// `Argument` when a position of the listing was already taken.
    pub fn merge(&mut self, part: InventoryPart) -> Result<(), Error> {
        for FilePart { index, id, shape, folder, length, content } in part.0 {
            if self.files.contains_key(&index) {
                return Err(Error::Argument(format!("position {index} of the listing was given twice")));
            }
            let content = content.content();
            if matches!(content, Content::Unread(_)) {
                self.unread.insert(index);
            }
            self.files.insert(index, File { id, shape, folder, length, content });
        }
        Ok(())
    }
}

impl ContentPart {
    fn of(content: &Content) -> Self {
        match content {
            Content::NotDicom(format) => Self::NotDicom(format.map(str::to_owned)),
            Content::NotAnImage(NotAnImage::Directory) => Self::Directory,
            Content::NotAnImage(NotAnImage::Object(name)) => Self::Object((*name).to_owned()),
            Content::NotAnImage(NotAnImage::Color) => Self::Color,
            Content::NotAnImage(NotAnImage::NoPosition) => Self::NoPosition,
            Content::Broken(broken) => Self::Broken {
                series: broken.series.clone(),
                instance: broken.instance.clone(),
                position_mm: broken.position_mm,
                volumetric: broken.volumetric,
                slices: broken.slices,
                problem: broken.problem.to_string(),
            },
            Content::Slices(slices) => Self::Slices(slices.clone()),
            Content::Unread(why) => Self::Unread(why.clone()),
        }
    }

    fn content(self) -> Content {
        match self {
            Self::NotDicom(format) => Content::NotDicom(format.as_deref().map(lasting)),
            Self::Directory => Content::NotAnImage(NotAnImage::Directory),
            Self::Object(name) => Content::NotAnImage(NotAnImage::Object(lasting(&name))),
            Self::Color => Content::NotAnImage(NotAnImage::Color),
            Self::NoPosition => Content::NotAnImage(NotAnImage::NoPosition),
            Self::Broken { series, instance, position_mm, volumetric, slices, problem } => {
                let problem = Problem::Told(problem);
                Content::Broken(Broken { series, instance, position_mm, volumetric, slices, problem })
            }
            Self::Slices(slices) => Content::Slices(slices),
            Self::Unread(why) => Content::Unread(why),
        }
    }
}

/// A name of a format or a SOP class, for as long as the process lives: there are as many as the standard and this crate know.
fn lasting(name: &str) -> &'static str {
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut names = NAMES.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(known) = names.get(name) {
        return known;
    }
    let kept: &'static str = Box::leak(name.to_owned().into_boxed_str());
    names.insert(kept);
    kept
}
