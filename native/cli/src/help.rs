//! What `-h` shows: on one screen, the options that most people need, each in a few words, and examples. `--help` shows everything.
//!
//! Both come from the same documentation: a short text is the beginning of the long one.

use clap::{Arg, CommandFactory, builder::StyledStr};

/// Options of a command that `-h` shows, besides `--quiet` and `--json`; of a command that is not here all.
const SHOWN: [(&str, &[&str]); 6] = [
    ("decompose", &["input", "output", "overwrite", "series", "rank", "composite", "emit"]),
    ("denoise", &["input", "output", "overwrite", "series", "strength", "no_patient_data"]),
    ("render", &["result", "output", "overwrite", "composite", "slice", "form", "input"]),
    ("verify", &["result", "input", "series", "only", "blocks", "seed"]),
    ("certify", &["result", "input", "output", "overwrite", "series"]),
    ("attest", &["result", "form", "output", "overwrite", "license"]),
];

/// Options that `-h` shows of no command.
const RARE: [&str; 2] = ["threads", "verbose"];

/// Commands that `tomobasis -h` only names.
const MORE: [&str; 6] = ["attest", "status", "reference", "score", "completions", "man"];

const ROOT: &str = "Examples:
  tomobasis inspect scans
  tomobasis decompose --input scans/head --output result
  tomobasis verify result --input scans/head

More: attest, status, reference, score, completions, man (tomobasis --help)";

/// What a short text ends before.
const ENDS: [&str; 5] = [". ", "; ", ": ", " (", " [default"];

/// The command, with short texts.
pub(crate) fn command() -> clap::Command {
    crate::Command::command().mut_args(shortened).mut_subcommands(|command| {
        let name = command.get_name().to_owned();
        let shown = SHOWN.iter().find(|(of, _)| *of == name).map(|(_, shown)| *shown);
        command.mut_args(|arg| {
            let id = arg.get_id().as_str();
            let hidden = RARE.contains(&id) || shown.is_some_and(|shown| !shown.contains(&id));
            shortened(arg.hide_short_help(hidden))
        })
    })
}

/// Whether a command line asks for the short help of no command.
pub(crate) fn is_short<'a>(words: impl IntoIterator<Item = Option<&'a str>>) -> bool {
    let mut asked = false;
    let only = words.into_iter().all(|word| match word {
        Some("-h") => {
            asked = true;
            true
        }
        Some("--quiet" | "--json") => true,
        _ => false,
    });
    only && asked
}

/// The short help of no command.
pub(crate) fn short() -> String {
    let hidden = |arg: Arg| arg.hide(true);
    let mut command = command()
        .disable_help_subcommand(true)
        .mut_arg("quiet", hidden)
        .mut_arg("json", hidden)
        .mut_subcommands(|command| {
            let more = MORE.contains(&command.get_name());
            command.hide(more)
        })
        .after_help(ROOT);
    command.render_help().to_string()
}

/// An option with the beginning of its text as the short one.
fn shortened(arg: Arg) -> Arg {
    let Some(full) = arg.get_help().map(StyledStr::to_string) else { return arg };
    let long = arg.get_long_help().cloned().unwrap_or_else(|| full.clone().into());
    let end = ENDS.iter().filter_map(|end| full.find(end)).min().unwrap_or(full.len());
    let short = full.get(..end).unwrap_or(&full).to_owned();
    arg.help(short).long_help(long)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines and columns of a screen.
    const SCREEN: (usize, usize) = (24, 100);

    fn fits(name: &str, text: &str) {
        let widest = text.lines().map(|line| line.chars().count()).max().unwrap_or(0);
        assert!(text.lines().count() <= SCREEN.0 && widest <= SCREEN.1, "{name}:\n{text}");
        assert!(text.contains("Examples:"), "{name}:\n{text}");
    }

    #[test]
    fn short_help_fits_a_screen_and_has_examples() {
        fits("tomobasis", &short());
        let mut command = command().term_width(SCREEN.1);
        command.build();
        let names: Vec<String> =
            command.get_subcommands().map(|command| command.get_name().to_owned()).collect();
        for name in names.iter().filter(|name| *name != "help") {
            let text = command.find_subcommand_mut(name).unwrap().render_help().to_string();
            fits(name, &text);
            assert!(text.contains("--json") && text.contains("--quiet"), "{text}");
        }
    }

    #[test]
    fn long_help_has_every_option_and_the_whole_of_its_text() {
        let whole = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut command = command();
        command.build();
        for given in crate::Command::command().get_subcommands() {
            let text = command.find_subcommand_mut(given.get_name()).unwrap().render_long_help();
            let text = whole(&text.to_string());
            for arg in given.get_arguments() {
                let help = whole(&arg.get_help().unwrap().to_string());
                assert!(text.contains(&help), "{}: {help}", given.get_name());
            }
        }
    }

    #[test]
    fn the_tables_name_what_there_is() {
        let command = crate::Command::command();
        for (name, shown) in SHOWN {
            let command = command.find_subcommand(name).unwrap();
            for id in shown {
                assert!(command.get_arguments().any(|arg| arg.get_id() == *id), "{name}: {id}");
            }
        }
        for name in MORE {
            assert!(command.find_subcommand(name).is_some() && ROOT.contains(name), "{name}");
        }
    }

    #[test]
    fn the_short_help_of_no_command_is_asked_for_by_h_alone() {
        assert!(is_short([Some("-h")]) && is_short([Some("--quiet"), Some("-h")]));
        assert!(!is_short([Some("verify"), Some("-h")]) && !is_short([]) && !is_short([Some("--json")]));
    }
}
