//! `docs/reference/options.md`, made from the parser. A test compares it with the committed page; `make options` writes it again.

use std::{env, fmt::Write as _, fs, path::PathBuf};

use clap::{Arg, ArgAction, Command, CommandFactory};

/// Longest line of a page.
const COLUMNS: usize = 120;
/// Set: the page is written, not compared.
const RECORD: &str = "TOMOBASIS_RECORD";
const BEGINNING: &str = "# Options

<!-- Made from the parser by `make options`: do not edit. -->

This page is made from the parser of the command, as are `tomobasis COMMAND --help`, the manual pages
(`tomobasis man FOLDER`) and what shells complete (`tomobasis completions SHELL`).

`tomobasis-submit [SPARK-SUBMIT OPTIONS] -- [OPTIONS]`, the job on Spark, takes the options of
[`decompose`](#tomobasis-decompose) and, after `--denoise`, those of [`denoise`](#tomobasis-denoise), except those that
are for one machine: `tomobasis-submit -- --help` lists them.
";

/// The page: a section for each command, an item for each argument.
fn page() -> String {
    let mut command = crate::Command::command();
    command.build();
    let mut page = BEGINNING.to_owned();
    let shared: Vec<&Arg> = command.get_arguments().filter(|arg| arg.is_global_set()).collect();
    page += "\n## Options of all commands\n\n";
    shared.iter().for_each(|arg| item(&mut page, arg));
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set() && inner.get_name() != "help")
    {
        section(&mut page, inner);
    }
    page
}

fn section(page: &mut String, command: &Command) {
    let name = command.get_name();
    let about = command.get_long_about().or_else(|| command.get_about()).map(ToString::to_string);
    _ = write!(page, "\n## tomobasis {name}\n\n{}\n\n", paragraphs(&about.unwrap_or_default()));
    let own = |arg: &&Arg| !arg.is_hide_set() && !arg.is_global_set() && !is_of_clap(arg);
    command.get_arguments().filter(own).for_each(|arg| item(page, arg));
    if let Some(text) = command.get_after_long_help().or_else(|| command.get_after_help()) {
        let text = text.to_string();
        _ = write!(page, "\nExamples:\n\n");
        for line in text.lines().filter_map(|line| line.strip_prefix("  ")) {
            _ = writeln!(page, "    {line}");
        }
    }
}

/// Whether clap itself has added it to every command.
fn is_of_clap(arg: &Arg) -> bool {
    matches!(
        arg.get_action(),
        ArgAction::Help | ArgAction::HelpShort | ArgAction::HelpLong | ArgAction::Version
    )
}

/// An argument as an item of a list: how it is written, what it means, its values.
fn item(page: &mut String, arg: &Arg) {
    let takes = arg.get_action().takes_values();
    let help = arg.get_long_help().or_else(|| arg.get_help()).map(ToString::to_string).unwrap_or_default();
    let mut notes = Vec::new();
    if arg.is_required_set() {
        notes.push("required".to_owned());
    }
    let defaults: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if takes && !defaults.is_empty() && !arg.is_hide_default_value_set() {
        notes.push(format!("default: `{}`", defaults.join(",")));
    }
    let notes = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join("; ")) };
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    wrapped(page, "- ", &format!("**`{}`**{notes}: {help}", written(arg)));
    if !takes || arg.is_hide_possible_values_set() {
        return;
    }
    for value in arg.get_possible_values().iter().filter(|value| !value.is_hide_set()) {
        let meaning = value.get_help().map(|help| format!(": {help}")).unwrap_or_default();
        wrapped(page, "  - ", &format!("`{}`{meaning}", value.get_name()));
    }
}

/// `-x, --name <VALUE>`, `--name [<VALUE>]`, `<VALUE>...`.
fn written(arg: &Arg) -> String {
    let names: Vec<_> =
        arg.get_value_names().unwrap_or_default().iter().map(|name| format!("<{name}>")).collect();
    let values = names.join(" ");
    if arg.is_positional() {
        let many = arg.get_num_args().is_some_and(|range| range.max_values() > 1);
        return format!("{values}{}", if many { "..." } else { "" });
    }
    let short = arg.get_short().map(|short| format!("-{short}"));
    let long = arg.get_long().map(|long| format!("--{long}"));
    let name = [short, long].into_iter().flatten().collect::<Vec<_>>().join(", ");
    let optional = arg.get_num_args().is_some_and(|range| range.min_values() == 0);
    match (arg.get_action().takes_values(), optional) {
        (false, _) => name,
        (true, false) => format!("{name} {values}"),
        (true, true) => format!("{name} [{values}]"),
    }
}

/// Paragraphs, each wrapped.
fn paragraphs(text: &str) -> String {
    let mut page = String::new();
    for paragraph in text.split("\n\n") {
        if !page.is_empty() {
            page.push('\n');
        }
        wrapped(&mut page, "", &paragraph.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    page.trim_end().to_owned()
}

/// Appends `text` in lines of at most [`COLUMNS`], the first after `mark`, the others indented as far.
fn wrapped(page: &mut String, mark: &str, text: &str) {
    let indent = " ".repeat(mark.len());
    let mut line = mark.to_owned();
    let mut empty = true;
    for word in text.split(' ') {
        if !empty && line.chars().count() + 1 + word.chars().count() > COLUMNS {
            _ = writeln!(page, "{line}");
            line.clone_from(&indent);
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    _ = writeln!(page, "{line}");
}

#[test]
fn the_page_of_options_is_what_the_parser_gives() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/options.md");
    let made = page();
    if env::var_os(RECORD).is_some() {
        fs::write(&path, &made).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap();
    for (number, (committed, made)) in committed.lines().zip(made.lines()).enumerate() {
        assert_eq!(committed, made, "line {} of docs/reference/options.md: run make options", number + 1);
    }
    assert_eq!(committed, made, "docs/reference/options.md: run make options");
}

#[test]
fn every_option_of_every_command_is_on_the_page() {
    let made = page();
    let mut count = 0;
    for command in crate::Command::command().get_subcommands() {
        let section = made.split(&format!("\n## tomobasis {}\n", command.get_name())).nth(1).unwrap();
        let section = section.split("\n## ").next().unwrap();
        for arg in command.get_arguments().filter(|arg| !arg.is_hide_set() && !arg.is_global_set()) {
            let name = arg.get_long().map_or_else(|| written(arg), |long| format!("--{long}"));
            assert!(section.contains(&name), "{} {name}", command.get_name());
            count += 1;
        }
    }
    assert!(count > 50, "{count}");
    assert!(made.lines().all(|line| line.chars().count() <= COLUMNS));
}
