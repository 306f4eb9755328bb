//! `SeriesPlan`, a Java record, and those that it holds.

use jni::{
    Env, jni_sig, jni_str,
    objects::{JObject, JValue},
    refs::IntoAuto,
    strings::JNIStr,
    sys::{jint, jlong},
};
use tomobasis_dicom::{Piece, SeriesPlan, SlicePlan};
use tomobasis_pipeline::input::{describe_matrix, describe_series};

use crate::{
    arrays::{new_objects, new_string, new_strings},
    failure::Result,
};

pub(crate) const CLASS: &JNIStr = jni_str!("io/tomobasis/jni/SeriesPlan");

/// A plan that the user is told of; where copies are to be compared, with the plan to decode for it.
pub(crate) fn described<'local>(env: &mut Env<'local>, plan: &SeriesPlan) -> Result<JObject<'local>> {
    let comparison = match plan.comparison() {
        Some(comparison) => untold(env, &comparison.plan)?,
        None => JObject::null(),
    };
    object(env, plan, &describe_series(plan), comparison)
}

/// The plan of a matrix.
pub(crate) fn of_matrix<'local>(env: &mut Env<'local>, plan: &SeriesPlan) -> Result<JObject<'local>> {
    object(env, plan, &describe_matrix(plan), JObject::null())
}

/// A plan of which nobody is told.
pub(crate) fn untold<'local>(env: &mut Env<'local>, plan: &SeriesPlan) -> Result<JObject<'local>> {
    object(env, plan, "", JObject::null())
}

fn object<'local>(
    env: &mut Env<'local>,
    plan: &SeriesPlan,
    description: &str,
    comparison: JObject<'local>,
) -> Result<JObject<'local>> {
    let (slices, comparison) = (
        new_objects(env, jni_str!("io/tomobasis/jni/SlicePlace"), &plan.slices, place)?.auto(),
        comparison.auto(),
    );
    let description = new_string(env, description)?.auto();
    let notes = plan.left_out.iter().chain(&plan.warnings).map(|note| note.text.as_str());
    let notes = new_strings(env, notes)?.auto();
    let json = new_string(env, &serde_json::to_string(plan)?)?.auto();
    let arguments = [
        JValue::Int(plan.rows as jint),
        JValue::Int(plan.columns as jint),
        JValue::Object(&slices),
        JValue::Object(&description),
        JValue::Object(&notes),
        JValue::Object(&comparison),
        JValue::Object(&json),
    ];
    let signature = jni_sig!(
        "(II[Lio/tomobasis/jni/SlicePlace;Ljava/lang/String;[Ljava/lang/String;Lio/tomobasis/jni/SeriesPlan;Ljava/lang/String;)V"
    );
    Ok(env.new_object(CLASS, signature, &arguments)?)
}

fn place<'local>(env: &mut Env<'local>, slice: &SlicePlan) -> Result<JObject<'local>> {
    let piece = slice.piece.map_or_else(|| Ok(JObject::null()), |piece| file_piece(env, piece))?.auto();
    let arguments =
        [JValue::Int(slice.file as jint), JValue::Int(slice.frame.cast_signed()), JValue::Object(&piece)];
    let signature = jni_sig!("(IILio/tomobasis/jni/FilePiece;)V");
    Ok(env.new_object(jni_str!("io/tomobasis/jni/SlicePlace"), signature, &arguments)?)
}

fn file_piece<'local>(env: &mut Env<'local>, piece: Piece) -> Result<JObject<'local>> {
    let arguments = [piece.head, piece.start, piece.end].map(|bytes| JValue::Long(bytes as jlong));
    Ok(env.new_object(jni_str!("io/tomobasis/jni/FilePiece"), jni_sig!("(JJJ)V"), &arguments)?)
}
