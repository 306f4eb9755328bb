//! What `--help` shows at the end of each command: lines to copy.

pub(crate) const DECOMPOSE: &str = "Examples:
  tomobasis decompose --input scans/head --output result
  tomobasis decompose --input scans/head --output result --rank auto --emit parquet,report,dicom
  tomobasis decompose --input-format npy --input matrix.npy --output result";

pub(crate) const DENOISE: &str = "Examples:
  tomobasis denoise --input scans/head --output denoised";

pub(crate) const INSPECT: &str = "Examples:
  tomobasis inspect scans
  tomobasis inspect scans.zip --json";

pub(crate) const RENDER: &str = "Examples:
  tomobasis render result --slice 40,200 --composite 5,50 --output pictures
  tomobasis render result --input scans/head --composite 10% --output pictures
  tomobasis render result --input scans/head --as figure --output pictures
  tomobasis render result --as scroll --view coronal --output pictures";

pub(crate) const VERIFY: &str = "Examples:
  tomobasis verify result --input scans/head
  tomobasis verify result --input scans/head --only sv
  tomobasis verify result --input scans/head --blocks 5%";

pub(crate) const CERTIFY: &str = "Examples:
  tomobasis certify result --input scans/head --output proof
  python3 proof/prove.py";

pub(crate) const ATTEST: &str = "Examples:
  tomobasis attest result --as in-toto --output result.intoto.json
  tomobasis attest study/result --as ro-crate --output study/ro-crate-metadata.json
  tomobasis attest dataset/result --as bids-prov --output dataset/dataset_description.json";

pub(crate) const PAPER: &str = "Examples:
  tomobasis paper result";

pub(crate) const COMPARE: &str = "Examples:
  tomobasis compare result other-result
  tomobasis compare scans/head 'result/dicom/k=50' --tolerance 5 --json
  tomobasis compare result other-result --html differences.html";

pub(crate) const STATUS: &str = "Examples:
  tomobasis status results
  tomobasis status results --json";

pub(crate) const REFERENCE: &str = "Examples:
  tomobasis reference matrices";

pub(crate) const SCORE: &str = "Examples:
  tomobasis score factors.npz";

pub(crate) const COMPLETIONS: &str = "Examples:
  tomobasis completions bash > ~/.local/share/bash-completion/completions/tomobasis
  tomobasis completions zsh > ~/.zfunc/_tomobasis
  tomobasis completions fish > ~/.config/fish/completions/tomobasis.fish";

pub(crate) const MAN: &str = "Examples:
  tomobasis man ~/.local/share/man/man1";

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use crate::Command;

    #[test]
    fn every_command_has_examples_and_they_parse() {
        for command in Command::command().get_subcommands() {
            let text =
                command.get_after_help().unwrap_or_else(|| panic!("{}", command.get_name())).to_string();
            let mut own = 0;
            for line in text.lines().filter(|line| line.starts_with("  ")) {
                // As a shell has it.
                let words = line.split(" > ").next().unwrap().replace('\'', "");
                let words: Vec<&str> = words.split_whitespace().collect();
                if words[0] == "tomobasis" {
                    assert_eq!(words[1], command.get_name());
                    Command::try_parse_from(&words).unwrap_or_else(|error| panic!("{line}: {error}"));
                    own += 1;
                }
                assert!(line.len() <= 100, "{line}");
            }
            assert!(own > 0, "{}", command.get_name());
        }
    }
}
