//! The targets without cargo-fuzz: samples that are changed by a seeded generator, on any toolchain.
//!
//! `seeded --seconds 60` runs every target for a minute and prints the seed it began with; `--seed` repeats a run. An input that
//! breaks something is written to a file, which `--replay TARGET FILE` feeds again.

mod mutate;

use std::error::Error;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mutate::{Mutator, Rng};
use satchel_fuzz::{TARGETS, Target};

/// No input may keep a server busy for longer.
const SLOW: Duration = Duration::from_secs(2);

type Outcome<T> = Result<T, Box<dyn Error>>;

struct Options {
    targets: Vec<Target>,
    seconds: u64,
    seed: u64,
    artifacts: PathBuf,
}

fn main() -> ExitCode {
    match run(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Outcome<()> {
    if let [first, target, file] = arguments
        && first == "--replay"
    {
        find(target)?.1(&fs::read(file)?);
        return Ok(());
    }
    let options = Options::parse(arguments)?;
    println!("seed {}", options.seed);
    for (at, target) in options.targets.iter().enumerate() {
        fuzz(*target, &options, options.seed.wrapping_add(at as u64))?;
    }
    Ok(())
}

impl Options {
    fn parse(arguments: &[String]) -> Outcome<Self> {
        let mut options = Self {
            targets: Vec::new(),
            seconds: 60,
            seed: SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos() as u64,
            artifacts: std::env::temp_dir(),
        };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let mut value = || rest.next().ok_or_else(|| format!("{argument} needs a value"));
            match argument.as_str() {
                "--seconds" => options.seconds = value()?.parse()?,
                "--seed" => options.seed = value()?.parse()?,
                "--artifacts" => options.artifacts = value()?.into(),
                name => options.targets.push(find(name)?),
            }
        }
        if options.targets.is_empty() {
            options.targets = TARGETS.to_vec();
        }
        Ok(options)
    }
}

fn find(name: &str) -> Outcome<Target> {
    let found = TARGETS.into_iter().find(|(known, _)| *known == name);
    found.ok_or_else(|| format!("{name} is no target").into())
}

fn fuzz((name, target): Target, options: &Options, seed: u64) -> Outcome<()> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mutator = Mutator::read(
        &here.join("seeds").join(name),
        &here.join("dictionaries").join(format!("{name}.dict")),
    )?;
    for sample in mutator.samples() {
        feed(name, target, sample, options)?;
    }
    let mut rng = Rng::new(seed);
    let begun = Instant::now();
    let mut inputs = 0_u64;
    while begun.elapsed().as_secs() < options.seconds {
        for _ in 0..64 {
            feed(name, target, &mutator.make(&mut rng), options)?;
        }
        inputs += 64;
    }
    println!("{name}: {inputs} inputs in {} s, none broke it", options.seconds);
    Ok(())
}

fn feed(name: &str, target: fn(&[u8]), input: &[u8], options: &Options) -> Outcome<()> {
    let begun = Instant::now();
    let broke = catch_unwind(AssertUnwindSafe(|| target(input))).is_err();
    if !broke && begun.elapsed() < SLOW {
        return Ok(());
    }
    let what = if broke { "broke" } else { "was too slow on" };
    let path = options.artifacts.join(format!("{name}-{}.bin", options.seed));
    fs::create_dir_all(&options.artifacts)?;
    fs::write(&path, input)?;
    let path = path.display();
    Err(format!("{name} {what} an input of {} bytes: `seeded --replay {name} {path}` feeds it again", input.len()).into())
}
