//! The bridge carries every byte, in both directions, and nothing else.

use dhow_testkit::Engine;

use crate::desktop::Desktop;
use crate::driver::App;

/// What the page's own host does, in a few lines.
const HELPERS: &str = r"
    // Ahead of the page's own numbers, and not too far.
    window.last ??= 2000;
    const next = () => ++window.last;
    const request = async (method, path, body) => {
        const number = next();
        const head = { number, method, path, headers: [['content-type', 'application/json']] };
        if (body instanceof Uint8Array) {
            await invoke('engine_expect', { number });
            const answer = invoke('engine_request', { head: { ...head, body: 'follows' } });
            await write(number, body);
            await invoke('engine_finish', { number });
            return { number, ...(await answer) };
        }
        head.body = body === undefined ? 'none' : { text: JSON.stringify(body) };
        return { number, ...(await invoke('engine_request', { head })) };
    };
    const write = async (number, bytes) => {
        for (let at = 0; at < bytes.length; at += 65536) {
            await invoke('engine_write', bytes.slice(at, at + 65536), { headers: { 'dhow-request': String(number) } });
        }
    };
    const read = async (number) => {
        const parts = [];
        for (;;) {
            const bytes = new Uint8Array(await invoke('engine_read', { number }));
            if (bytes.length === 0) break;
            parts.push(bytes);
        }
        const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
        let at = 0;
        for (const part of parts) { all.set(part, at); at += part.length; }
        return all;
    };
    const text = (bytes) => new TextDecoder().decode(bytes);
    const json = async (method, path, body) => {
        const { number, status } = await request(method, path, body);
        return { status, body: JSON.parse(text(await read(number)) || 'null') };
    };
";

fn with_helpers(script: &str) -> String {
    format!("{HELPERS}\n{script}")
}

#[test]
fn bytes_go_up_and_down_unchanged() {
    let engine = Engine::with_busybox();
    engine
        .docker(&["run", "-d", "--name", "box", "busybox", "sleep", "600"])
        .ok();
    let desktop = Desktop::start();
    let app = App::start(&desktop, &engine.host());
    app.shows("box");
    // An archive of 9 MB of noise goes up, and its sum is asked inside.
    let script = with_helpers(
        r"
        const size = 9 << 20;
        const noise = new Uint8Array(size);
        for (let i = 0, x = 7; i < size; i++) { x = (x * 1103515245 + 12345) & 0x7fffffff; noise[i] = x >> 16; }
        const header = new Uint8Array(512);
        const put = (at, text) => header.set(new TextEncoder().encode(text), at);
        put(0, 'noise'); put(100, '0000644\0'); put(108, '0000000\0'); put(116, '0000000\0');
        put(124, size.toString(8).padStart(11, '0') + '\0'); put(136, '00000000000\0'); put(148, '        ');
        put(156, '0'); put(257, 'ustar\0' + '00');
        const sum = header.reduce((all, byte) => all + byte, 0);
        put(148, sum.toString(8).padStart(6, '0') + '\0 ');
        const archive = new Uint8Array(512 + size + 1024);
        archive.set(header); archive.set(noise, 512);
        const up = await request('PUT', '/v1.51/containers/box/archive?path=/', archive);
        if (up.status !== 200) return text(await read(up.number));
        const down = await request('GET', '/v1.51/containers/box/archive?path=/noise');
        const back = await read(down.number);
        for (let i = 0; i < size; i++) if (back[512 + i] !== noise[i]) return `differs at ${i}`;
        return 'same';",
    );
    assert_eq!(app.evaluate(&script), "same");
    let size = engine.docker(&["exec", "box", "wc", "-c", "/noise"]).ok();
    assert!(size.starts_with("9437184 "), "{}", size);
}

#[test]
fn a_hijacked_connection_ends_in_each_direction_on_its_own() {
    let engine = Engine::with_busybox();
    engine
        .docker(&["run", "-d", "--name", "box", "busybox", "sleep", "600"])
        .ok();
    let desktop = Desktop::start();
    let app = App::start(&desktop, &engine.host());
    app.shows("box");
    let script = with_helpers(
        r"
        const made = await json('POST', '/v1.51/containers/box/exec', { Cmd: ['sha256sum'], AttachStdin: true, AttachStdout: true, Tty: false });
        const number = next();
        const head = { number, method: 'POST', path: `/v1.51/exec/${made.body.Id}/start`, headers: [['content-type', 'application/json']], body: { text: '{}' } };
        const opened = await invoke('engine_open', { head });
        if (!opened.duplex) return opened;
        await write(number, new Uint8Array(3 << 20));
        await invoke('engine_finish', { number });
        return text((await read(number)).slice(8)).trim();",
    );
    let zeroes = "bbd05cf6097ac9b1f89ea29d2542c1b7b67ee46848393895f5a9e43fa1f621e5  -";
    assert_eq!(app.evaluate(&script), zeroes);
    // What the engine refuses is an answer, and no connection.
    let script = with_helpers(
        r"
        const number = next();
        const head = { number, method: 'POST', path: '/v1.51/exec/none/start', headers: [['content-type', 'application/json']], body: { text: '{}' } };
        const opened = await invoke('engine_open', { head });
        return [opened.duplex, opened.status, JSON.parse(text(await read(number))).message];",
    );
    assert_eq!(
        app.evaluate(&script),
        serde_json::json!([false, 404, "No such exec instance: none"])
    );
}

#[test]
fn many_streams_wait_at_once_and_are_taken_back() {
    let engine = Engine::start();
    let desktop = Desktop::start();
    let app = App::start(&desktop, &engine.host());
    app.shows("Containers");
    let script = with_helpers(
        r"
        const streams = [];
        for (let i = 0; i < 50; i++) streams.push((await request('GET', '/v1.51/events')).number);
        const waiting = streams.map((number) => invoke('engine_read', { number }).then(() => 'bytes', (error) => error.failure));
        const began = performance.now();
        const ping = await request('GET', '/_ping');
        const answered = text(await read(ping.number));
        const took = performance.now() - began;
        for (const number of streams) await invoke('engine_cancel', { number });
        return [answered, took < 2000, [...new Set(await Promise.all(waiting))]];",
    );
    assert_eq!(
        app.evaluate(&script),
        serde_json::json!(["OK", true, ["cancelled"]])
    );
}

#[test]
fn nothing_but_the_api_goes_over() {
    let engine = Engine::start();
    let desktop = Desktop::start();
    let app = App::start(&desktop, &engine.host());
    app.shows("Containers");
    for path in [
        "http://127.0.0.1/v1.51/info",
        "/containers/json",
        "/v1.51/../x",
        "/v1.51/info\\r\\nHost: x",
    ] {
        let script = with_helpers(&format!("return await request('GET', '{path}')"));
        let answer = app.run_async(&script);
        assert_eq!(answer["failed"]["failure"], "invalid", "{path}: {answer}");
    }
    // The same request does not happen twice, whoever sends it again.
    let script = with_helpers(
        r"
        const head = { number: next(), method: 'POST', path: '/v1.51/volumes/create', headers: [['content-type', 'application/json']], body: { text: '{}' } };
        await invoke('engine_request', { head });
        return await invoke('engine_request', { head }).then(() => 'twice', (error) => error.failure);",
    );
    assert_eq!(app.evaluate(&script), "invalid");
    let volumes = engine.get("/v1.51/volumes").json();
    assert_eq!(volumes["Volumes"].as_array().map(Vec::len), Some(1));
    // An engine's own words are no failure of the bridge.
    let script = with_helpers("return (await json('GET', '/v1.51/containers/none/json')).status");
    assert_eq!(app.evaluate(&script), 404);
}
