//! `context create`: a new context, of an address or of another context.

use clap::Args;
use dhow_client::context::{Context, Material};

use super::endpoint::{self, Flags};
use super::{check_new_name, config, current, find, store};
use crate::failure::Failure;
use crate::output;
use crate::session::Session;

/// Make a context
///
/// The engine's address and what TLS needs:
///   --docker host=tcp://far:2376,ca=ca.pem,cert=cert.pem,key=key.pem
///   --docker host=ssh://me@far
/// Other keys: skip-tls-verify=true, from=CONTEXT.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    flags: Flags,
    /// Copy this context
    #[arg(long, default_value = "")]
    from: String,
    #[arg(required = true, value_name = "CONTEXT")]
    context: String,
}

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    let store = store(session);
    let name = arguments.context;
    check_new_name(&store, &name)?;
    let (mut context, mut material) = match arguments.from.as_str() {
        "" if arguments.flags.docker.is_empty() => {
            find(session, &store, &current(session, &config(session)?)?)?
        }
        "" => (Context::default(), Material::new()),
        _ if !arguments.flags.docker.is_empty() => {
            return Err(Failure::message(
                "cannot use --docker flag when --from is set",
            ));
        }
        from => find(session, &store, from)?,
    };
    context.name = name;
    if !arguments.flags.docker.is_empty() {
        let settings = &arguments.flags.docker;
        endpoint::apply(settings, &mut context, &mut material, session, &store)?;
    }
    if !arguments.flags.description.is_empty() {
        context.describe(&arguments.flags.description);
    }
    store.save(&context, &material)?;
    output::line(&context.name);
    output::warn(&format!("Successfully created context {:?}", context.name));
    Ok(0)
}
