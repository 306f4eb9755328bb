//! `JobOptions`: the job's command line.

use jni::{
    EnvUnowned, jni_mangle,
    objects::{JClass, JObject, JObjectArray, JString},
    refs::IntoAuto,
};
use tomobasis_pipeline::commands::{
    decompose::{ParsedJob, parse_job},
    stages::stages,
};

use crate::{
    arrays::{new_string, string},
    failure::native,
};

/// `String parse(String[] args)`: the resolved options with the names of the stages, or `{"help": text}`.
#[jni_mangle("io.tomobasis.jni.JobOptions")]
pub fn parse<'local>(
    env: EnvUnowned<'local>,
    _: JClass<'local>,
    args: JObjectArray<'local, JString<'local>>,
) -> JObject<'local> {
    native(env, |env| {
        let mut texts = Vec::new();
        for i in 0..args.len(env)? {
            let element = args.get_element(env, i)?.auto();
            texts.push(string(env, &element)?);
        }
        tomobasis_linalg::check_machine()?;
        let parsed = parse_job(&texts)?;
        if matches!(&parsed, ParsedJob::Run(options) if options.verbose) {
            tomobasis_pipeline::log_to_stderr();
        }
        let mut json = serde_json::to_value(&parsed)?;
        if let ParsedJob::Run(options) = &parsed {
            json["stages"] = serde_json::to_value(stages(options.method))?;
        }
        new_string(env, &json.to_string())
    })
}
