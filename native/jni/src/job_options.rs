//! `OptionParser`: the job's command line, as a `HelpText`, `StatusRequest` or `JobOptions`.

use jni::{
    Env, EnvUnowned, jni_mangle, jni_sig, jni_str,
    objects::{JClass, JObject, JObjectArray, JString, JValue},
    refs::IntoAuto,
};
use tomobasis_pipeline::{
    commands::{decompose::ParsedJob, job::parse_job, stages::stages},
    options::{Emit, Method, OnBadSlice, Options},
};

use crate::{
    arrays::{new_objects, new_string, new_strings, strings},
    failure::{Result, native},
};

/// `CommandLine parse(String[] args)`.
#[jni_mangle("io.tomobasis.jni.OptionParser")]
pub fn parse<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    args: JObjectArray<'local, JString<'local>>,
) -> JObject<'local> {
    native(env, |env| {
        let texts = strings(env, &args)?;
        tomobasis_linalg::check_machine()?;
        match parse_job(&texts)? {
            ParsedJob::Text { help } => help_text(env, &help),
            ParsedJob::Status { status } => {
                let output = new_string(env, &status)?.auto();
                let class = jni_str!("io/tomobasis/jni/StatusRequest");
                Ok(env.new_object(class, jni_sig!("(Ljava/lang/String;)V"), &[JValue::Object(&output)])?)
            }
            ParsedJob::Run(options) => {
                if options.verbose {
                    tomobasis_pipeline::log_to_stderr();
                }
                job_options(env, &options)
            }
        }
    })
}

fn help_text<'local>(env: &mut Env<'local>, text: &str) -> Result<JObject<'local>> {
    let text = new_string(env, text)?.auto();
    let class = jni_str!("io/tomobasis/jni/HelpText");
    Ok(env.new_object(class, jni_sig!("(Ljava/lang/String;)V"), &[JValue::Object(&text)])?)
}

fn job_options<'local>(env: &mut Env<'local>, options: &Options) -> Result<JObject<'local>> {
    let inputs = new_strings(env, options.input.iter().map(String::as_str))?.auto();
    let output = new_string(env, &options.output)?.auto();
    let json = new_string(env, &serde_json::to_string(options)?)?.auto();
    let stages = stages(options);
    let stages = new_objects(env, jni_str!("io/tomobasis/jni/StageName"), &stages, |env, stage| {
        let (name, unit) = (new_string(env, stage.name)?.auto(), new_string(env, stage.unit)?.auto());
        let arguments = [JValue::Object(&name), JValue::Object(&unit)];
        let signature = jni_sig!("(Ljava/lang/String;Ljava/lang/String;)V");
        Ok(env.new_object(jni_str!("io/tomobasis/jni/StageName"), signature, &arguments)?)
    })?
    .auto();
    let arguments = [
        JValue::Object(&inputs),
        JValue::Object(&output),
        JValue::Bool(options.overwrite),
        JValue::Bool(options.on_bad_slice == OnBadSlice::Skip),
        JValue::Bool(options.verbose),
        JValue::Bool(options.emit.contains(&Emit::Dicom)),
        JValue::Bool(matches!(options.method, Method::Gram { .. })),
        JValue::Bool(!options.input_format.is_scan()),
        JValue::Bool(options.all_series()),
        JValue::Bool(options.fail_fast),
        JValue::Bool(options.denoise.is_some()),
        JValue::Object(&stages),
        JValue::Object(&json),
    ];
    let signature = jni_sig!(
        "([Ljava/lang/String;Ljava/lang/String;ZZZZZZZZZ[Lio/tomobasis/jni/StageName;Ljava/lang/String;)V"
    );
    Ok(env.new_object(jni_str!("io/tomobasis/jni/JobOptions"), signature, &arguments)?)
}
