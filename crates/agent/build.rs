//! Gives the Windows program its version resource.
//!
//! Windows Installer decides by it whether an installed file is older than the one it brings, and the file's
//! Properties page and inventory tools show it. The one resource compiler that all ways to build have is
//! mingw-w64's windres.

use std::env;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var_os("CARGO_CFG_WINDOWS").is_none() {
        return Ok(());
    }
    let mut resource = winresource::WindowsResource::new();
    resource
        .set_windres_path("x86_64-w64-mingw32-windres")
        .set_ar_path("x86_64-w64-mingw32-ar")
        .set("FileDescription", "MngnTime logon and logoff recorder")
        .set("ProductName", "MngnTime")
        .set("OriginalFilename", "MngnTimeCliSvc.exe")
        .set("InternalName", "MngnTimeCliSvc")
        .set("LegalCopyright", "MIT or Apache-2.0");
    resource.compile()?;
    Ok(())
}
