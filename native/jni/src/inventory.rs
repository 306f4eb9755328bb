//! `Inventory`: headers of all files, then one series.

use jni::{
    Env, EnvUnowned, jni_mangle, jni_sig, jni_str,
    objects::{JByteArray, JClass, JIntArray, JObject, JObjectArray, JString, JValue},
    refs::IntoAuto,
    sys::{jboolean, jint, jlong},
};
use tomobasis_dicom::{SeriesPlan, Unread};
use tomobasis_pipeline::{
    commands::{all_series, slices},
    input::inventory,
    options::Options,
};

use crate::{
    archive::JavaFile,
    arrays::{byte_array, ints, json, new_objects, new_string, new_strings, size, string, strings},
    failure::{Failure, Result, native},
    handle, series_plan, slice_digest,
};

/// Bytes of a header that are asked for at a time at most.
const LARGEST_PART: usize = 16 << 20;

pub(crate) struct Inventory {
    options: Options,
    files: tomobasis_dicom::Inventory,
}

/// `long create(String optionsJson)`.
#[jni_mangle("io.tomobasis.jni.Inventory")]
pub fn create<'local>(env: EnvUnowned<'local>, _: JClass<'local>, options_json: JString<'local>) -> jlong {
    make(env, |env| {
        let options = json(env, &options_json)?;
        Ok(Inventory { options, files: tomobasis_dicom::Inventory::new() })
    })
}

handle::native_object!("io.tomobasis.jni.Inventory", Inventory);

impl Inventory {
    fn add_unread(
        &mut self,
        env: &Env<'_>,
        file: jint,
        name: &JString<'_>,
        length: jlong,
        why: Unread,
    ) -> Result<()> {
        self.files.add_unread(size(file, "file")?, &string(env, name)?, u64::try_from(length).ok(), why);
        Ok(())
    }
}

/// `long add0(long handle, int file, String name, long length, byte[] head)`.
#[jni_mangle("io.tomobasis.jni.Inventory")]
pub fn add0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    file: jint,
    name: JString<'local>,
    length: jlong,
    head: JByteArray<'local>,
) -> jlong {
    native(env, |env| {
        // SAFETY: a live handle of this class; the Java side synchronizes.
        let inventory = unsafe { handle::get_mut::<Inventory>(handle) }?;
        let head = byte_array(env, &head)?;
        let length = u64::try_from(length).unwrap_or_default();
        let needed = inventory.files.add(size(file, "file")?, &string(env, &name)?, length, &head)?;
        Ok(if needed <= head.len() as u64 { 0 } else { needed as jlong })
    })
}

/// `void read0(long handle, int file, String name, long length, byte[] head, Archive.Source more)`.
#[allow(clippy::too_many_arguments, reason = "a file, as Java has it")]
#[jni_mangle("io.tomobasis.jni.Inventory")]
pub fn read0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    file: jint,
    name: JString<'local>,
    length: jlong,
    head: JByteArray<'local>,
    more: JObject<'local>,
) {
    native(env, |env| {
        // SAFETY: a live handle of this class; the Java side synchronizes.
        let inventory = unsafe { handle::get_mut::<Inventory>(handle) }?;
        let (file, name) = (size(file, "file")?, string(env, &name)?);
        let head = byte_array(env, &head)?;
        let length = length.cast_unsigned();
        inventory.files.read(file, &name, length, head, |part| {
            // As few calls as can be: for a file in an archive each may cost all that is before.
            let count = usize::try_from(part.end - part.start).unwrap_or(usize::MAX).min(LARGEST_PART);
            let mut rest = JavaFile::new(env, &more, length, count)?;
            // The exception of `more` is pending, and is what the caller gets.
            rest.read_part(part).map_err(|error| Failure::Argument(error.to_string()))
        })
    })
}

/// `void addUnread0(long handle, int file, String name, long length, String why)`; a negative length is none.
#[jni_mangle("io.tomobasis.jni.Inventory")]
pub fn add_unread0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    file: jint,
    name: JString<'local>,
    length: jlong,
    why: JString<'local>,
) {
    native(env, |env| {
        // SAFETY: a live handle of this class; the Java side synchronizes.
        let inventory = unsafe { handle::get_mut::<Inventory>(handle) }?;
        let why = json(env, &why)?;
        inventory.add_unread(env, file, &name, length, why)
    })
}

/// `void addUnopened0(long handle, int file, String name, long length, String reason)`.
#[jni_mangle("io.tomobasis.jni.Inventory")]
pub fn add_unopened0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    file: jint,
    name: JString<'local>,
    length: jlong,
    reason: JString<'local>,
) {
    native(env, |env| {
        // SAFETY: a live handle of this class; the Java side synchronizes.
        let inventory = unsafe { handle::get_mut::<Inventory>(handle) }?;
        let why = Unread::File(string(env, &reason)?);
        inventory.add_unread(env, file, &name, length, why)
    })
}

/// `SeriesPlan select0(long handle)`.
#[jni_mangle("io.tomobasis.jni.Inventory")]
pub fn select0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) -> JObject<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class; the Java side synchronizes.
        let inventory = unsafe { handle::get_mut::<Inventory>(handle) }?;
        let plan = inventory::select(&mut inventory.files, &inventory.options)?;
        series_plan::described(env, &plan)
    })
}

/// `SeriesPlan[] selectAll0(long handle)`: that of the series that was chosen, else of each that there is.
#[jni_mangle("io.tomobasis.jni.Inventory")]
pub fn select_all0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) -> JObject<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class; the Java side synchronizes.
        let Inventory { options, files } = unsafe { handle::get_mut::<Inventory>(handle) }?;
        let plans = match options.series {
            Some(_) => vec![inventory::select(files, options)?],
            None => inventory::select_each(files, options)?,
        };
        new_objects(env, series_plan::CLASS, &plans, series_plan::described)
    })
}

/// `byte[] toBytes0(long handle)`: what it knows, for `merge0` in another process.
#[jni_mangle("io.tomobasis.jni.Inventory")]
pub fn to_bytes0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) -> JByteArray<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let inventory = unsafe { handle::get::<Inventory>(handle) }?;
        Ok(env.byte_array_from_slice(&inventory::to_bytes(&inventory.files)?)?)
    })
}

/// `void merge0(long handle, byte[] part)`.
#[jni_mangle("io.tomobasis.jni.Inventory")]
pub fn merge0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong, part: JByteArray<'local>) {
    native(env, |env| {
        // SAFETY: a live handle of this class; the Java side synchronizes.
        let inventory = unsafe { handle::get_mut::<Inventory>(handle) }?;
        Ok(inventory::merge(&mut inventory.files, &byte_array(env, &part)?)?)
    })
}

/// `void visit0(long handle, Inventory.Visitor visitor)`: every series, one after the other.
#[jni_mangle("io.tomobasis.jni.Inventory")]
pub fn visit0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong, visitor: JObject<'local>) {
    native(env, |env| {
        // SAFETY: a live handle of this class; the Java side synchronizes.
        let Inventory { options, files } = unsafe { handle::get_mut::<Inventory>(handle) }?;
        inventory::visit_series(files, options, |entry, plan| -> Result<()> {
            let (row, plan) = all_series::found(&entry, plan, options);
            let row = new_string(env, &serde_json::to_string(&row)?)?.auto();
            let plan = plan
                .as_ref()
                .map_or_else(|| Ok(JObject::null()), |plan| series_plan::described(env, plan))?;
            let plan = plan.auto();
            let arguments = [JValue::Object(&row), JValue::Object(&plan)];
            let signature = jni_sig!("(Ljava/lang/String;Lio/tomobasis/jni/SeriesPlan;)V");
            env.call_method(&visitor, jni_str!("series"), signature, &arguments)?;
            Ok(())
        })
    })
}

/// `String[] ofNoSeries0(long handle)`: what the input has besides.
#[jni_mangle("io.tomobasis.jni.Inventory")]
pub fn of_no_series0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) -> JObject<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class.
        let inventory = unsafe { handle::get::<Inventory>(handle) }?;
        new_strings(env, inventory.files.of_no_series().iter().map(String::as_str))
    })
}

/// `String rows0(String planJson, boolean identifying)`: what the headers say of each slice, as JSON.
#[jni_mangle("io.tomobasis.jni.Inventory")]
pub fn rows0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    plan_json: JString<'local>,
    identifying: jboolean,
) -> JObject<'local> {
    native(env, |env| {
        let plan: SeriesPlan = json(env, &plan_json)?;
        new_string(env, &serde_json::to_string(&slices::rows(&plan, identifying))?)
    })
}

/// `SeriesPlan[] repeats0(long handle)`: plans of slices whose pixels are to be known.
#[jni_mangle("io.tomobasis.jni.Inventory")]
pub fn repeats0<'local>(env: EnvUnowned<'local>, _: JClass<'local>, handle: jlong) -> JObject<'local> {
    native(env, |env| {
        // SAFETY: a live handle of this class; the Java side synchronizes.
        let inventory = unsafe { handle::get_mut::<Inventory>(handle) }?;
        let plans: Vec<_> = inventory.files.repeats().into_iter().filter(inventory::is_readable).collect();
        new_objects(env, series_plan::CLASS, &plans, series_plan::untold)
    })
}

/// `void know0(long handle, String planJson, SliceDigest[] decoded)`.
#[jni_mangle("io.tomobasis.jni.Inventory")]
pub fn know0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    handle: jlong,
    plan_json: JString<'local>,
    decoded: JObjectArray<'local, JObject<'local>>,
) {
    native(env, |env| {
        // SAFETY: a live handle of this class; the Java side synchronizes.
        let inventory = unsafe { handle::get_mut::<Inventory>(handle) }?;
        let plan: SeriesPlan = json(env, &plan_json)?;
        let known: Vec<_> =
            slice_digest::from_java(env, &decoded)?.into_iter().map(slice_digest::Decoded::ok).collect();
        inventory.files.know(&plan, &known);
        Ok(())
    })
}

/// `SeriesPlan without0(String planJson, int[] slices, String[] reasons)`: the plan of the other slices.
#[jni_mangle("io.tomobasis.jni.Inventory")]
pub fn without0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    plan_json: JString<'local>,
    slices: JIntArray<'local>,
    reasons: JObjectArray<'local, JString<'local>>,
) -> JObject<'local> {
    native(env, |env| {
        let plan: SeriesPlan = json(env, &plan_json)?;
        let slices: Vec<usize> =
            ints(env, &slices)?.into_iter().map(|slice| size(slice, "slice")).collect::<Result<_>>()?;
        let bad: Vec<_> = slices.into_iter().zip(strings(env, &reasons)?).collect();
        series_plan::described(env, &plan.without(&bad)?)
    })
}

/// `SeriesPlan compared0(String planJson, SliceDigest[] decoded, boolean skip)`: the plan once its copies are compared, by what decoding
/// the comparison's slices gave.
#[jni_mangle("io.tomobasis.jni.Inventory")]
pub fn compared0<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    plan_json: JString<'local>,
    decoded: JObjectArray<'local, JObject<'local>>,
    skip: jboolean,
) -> JObject<'local> {
    native(env, |env| {
        let plan: SeriesPlan = json(env, &plan_json)?;
        let Some(comparison) = plan.comparison() else { return series_plan::described(env, &plan) };
        let unequal = comparison.judge(slice_digest::from_java(env, &decoded)?, |error| error.to_string());
        match unequal.first() {
            Some((_, error)) if !skip => Err(Failure::BadInput(error.clone())),
            _ => series_plan::described(env, &plan.compared(&unequal)?),
        }
    })
}

/// `String fileLabel(int file, int count, String name)`: how messages name a file.
#[jni_mangle("io.tomobasis.jni.Inventory")]
pub fn file_label<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    file: jint,
    count: jint,
    name: JString<'local>,
) -> JObject<'local> {
    native(env, |env| {
        let (file, count) = (size(file, "file")?, size(count, "count")?);
        let label = tomobasis_dicom::file_label(file, count, &string(env, &name)?);
        new_string(env, &label)
    })
}
