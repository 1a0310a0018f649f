import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blank, pairsOf, type MountLine, type PairLine, type PortLine, type RunForm } from './form';
import { lineOf } from './line';
import { looksLikeRun, parseLine, portOf } from './parse';
import { join, quote, split } from './shell';

const read = (line: string) => parseLine(line).form;

describe('the shell', () => {
    it('gives back any words', () => {
        fc.assert(
            fc.property(fc.array(fc.string({ unit: 'binary' })), (words) => {
                expect(split(join(words))).toEqual({ words, error: null });
            }),
        );
    });

    it('takes lines as a shell does', () => {
        expect(split(`a "b c" 'd "e' f\\ g "h\\"i\\n" \\\n j # k\nl ""`).words).toEqual(['a', 'b c', 'd "e', 'f g', 'h"i\\n', 'j', 'l', '']);
        expect(split(`a 'b`)).toEqual({ words: ['a', 'b'], error: 'quote' });
        expect(quote("it's $HOME")).toBe(String.raw`'it'\''s $HOME'`);
    });
});

describe('what people paste', () => {
    it('reads the usual line', () => {
        const line = `$ sudo docker run -itd --rm --name web -p 127.0.0.1:8080:80 -p 53:53/udp -p9000 -eA=1 -e 'B=two words' \\
            -v data:/var/lib:ro,z -v "$PWD":/src -v /anonymous --tmpfs /tmp:size=1m --restart=on-failure:3 -m 512m --cpus .5 --net=host nginx:1 sh -c 'echo "hi"'`;
        expect(parseLine(line)).toEqual({
            problems: [],
            form: {
                ...blank,
                image: 'nginx:1',
                name: 'web',
                interactive: true,
                terminal: true,
                remove: true,
                ports: [
                    { address: '127.0.0.1', outside: '8080', inside: '80', protocol: 'tcp' },
                    { address: '', outside: '53', inside: '53', protocol: 'udp' },
                    { address: '', outside: '', inside: '9000', protocol: 'tcp' },
                ],
                environment: [{ name: 'A', value: '1' }, { name: 'B', value: 'two words' }],
                mounts: [
                    { kind: 'volume', source: 'data', target: '/var/lib', readOnly: true, options: 'z' },
                    { kind: 'volume', source: '$PWD', target: '/src', readOnly: false, options: '' },
                    { kind: 'volume', source: '', target: '/anonymous', readOnly: false, options: '' },
                    { kind: 'tmpfs', source: '', target: '/tmp', readOnly: false, options: 'size=1m' },
                ],
                restart: 'on-failure',
                retries: '3',
                memory: '512m',
                cpus: '.5',
                network: 'host',
                command: `sh -c 'echo "hi"'`,
            },
        });
    });

    it('names what it has no field for, and keeps it in the line', () => {
        const { form, problems } = parseLine('docker run --ipc host --frob --cpuset-cpus 0-1 -e HOME --mount type=bind,src=/a,dst=/b,bind-propagation=shared x');
        expect(form.others).toEqual([['--ipc', 'host'], ['--frob'], ['--cpuset-cpus', '0-1'], ['--env', 'HOME'], ['--mount', 'type=bind,src=/a,dst=/b,bind-propagation=shared']]);
        expect(problems).toEqual([{ kind: 'unknown', flag: '--frob' }]);
        expect(lineOf(form)).toContain('--ipc host --frob --cpuset-cpus 0-1');
    });

    it('says what is wrong', () => {
        expect(parseLine('ls -l').problems).toEqual([{ kind: 'not-run' }]);
        expect(parseLine('docker run -d').problems).toEqual([{ kind: 'no-image' }]);
        expect(parseLine('docker run --name').problems).toContainEqual({ kind: 'no-value', flag: '--name' });
        expect(parseLine('docker run -p nope x').problems).toEqual([{ kind: 'bad-value', flag: '-p', value: 'nope' }]);
        expect(parseLine("docker run 'x").problems).toContainEqual({ kind: 'quote' });
    });

    it('stops at the image: what follows is the command', () => {
        expect(read('docker run alpine ls --rm -p 80').command).toBe('ls --rm -p 80');
        expect(read('docker run -- alpine').image).toBe('alpine');
        expect(read('docker run --rm=false --init=true x')).toMatchObject({ remove: false, init: true });
    });

    it('knows such a line when it sees one', () => {
        expect(looksLikeRun('docker run x')).toBe(true);
        expect(looksLikeRun('$ sudo dhow container run x')).toBe(true);
        expect(looksLikeRun('nginx:1')).toBe(false);
    });

    it('reads ports of IPv6, and of an address without a port', () => {
        expect(portOf('[::1]:80:80')).toEqual({ address: '::1', outside: '80', inside: '80', protocol: 'tcp' });
        expect(portOf('127.0.0.1::80')).toEqual({ address: '127.0.0.1', outside: '', inside: '80', protocol: 'tcp' });
    });
});

it('takes lines of an .env file', () => {
    expect(pairsOf('# c\nexport A=1\nB="two words"\n\nC=a=b\nnothing\r\nD=')).toEqual([
        { name: 'A', value: '1' },
        { name: 'B', value: 'two words' },
        { name: 'C', value: 'a=b' },
        { name: 'D', value: '' },
    ]);
});

describe('there and back', () => {
    const word = fc.stringMatching(/^[a-z][a-z0-9_.-]{0,12}$/);
    const any = fc.string({ unit: 'binary' });
    const value = fc.oneof(word, any, fc.constantFrom('', ' ', "'", '"', '$x', '-x', '--rm', 'a=b', '\n', '\\'));
    const typed = fc.oneof(fc.constant(''), word);
    const pair: fc.Arbitrary<PairLine> = fc.record({ name: fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_. -]{0,8}$/), value });
    const number = fc.integer({ min: 1, max: 65_535 }).map(String);
    const range = fc.oneof(number, fc.constant('8000-8010'));
    const port: fc.Arbitrary<PortLine> = fc.record({
        address: fc.constantFrom('', '127.0.0.1', '::1', '0.0.0.0'),
        outside: fc.oneof(fc.constant(''), range),
        inside: range,
        protocol: fc.constantFrom('tcp', 'udp', 'sctp'),
    });
    const path = fc.stringMatching(/^\/[a-z ,:"'$-]{1,12}$/);
    const mount: fc.Arbitrary<MountLine> = fc.oneof(
        fc.record({ kind: fc.constant('volume' as const), source: word, target: path, readOnly: fc.boolean(), options: fc.constant('') }),
        fc.record({ kind: fc.constant('bind' as const), source: path, target: path, readOnly: fc.boolean(), options: fc.constant('') }),
        fc.record({ kind: fc.constant('volume' as const), source: fc.constant(''), target: path, readOnly: fc.constant(false), options: fc.constant('') }),
        fc.record({ kind: fc.constant('bind' as const), source: fc.constant('/a'), target: fc.constant('/b'), readOnly: fc.boolean(), options: fc.constantFrom('', 'z', 'Z,cached') }),
        fc.record({ kind: fc.constant('tmpfs' as const), source: fc.constant(''), target: fc.stringMatching(/^\/[a-z ]{1,8}$/), readOnly: fc.boolean(), options: fc.constantFrom('', 'size=64m', 'size=1m,mode=1777') }),
    );
    const form: fc.Arbitrary<RunForm> = fc
        .record({
            image: fc.stringMatching(/^[a-z0-9]{1,8}(:[a-z0-9.]{1,4})?$/),
            name: typed,
            command: fc.array(value).map(join),
            entrypoint: fc.oneof(typed, value),
            ports: fc.array(port, { maxLength: 3 }),
            environment: fc.array(pair, { maxLength: 3 }),
            mounts: fc.array(mount, { maxLength: 3 }),
            labels: fc.array(pair, { maxLength: 3 }),
            restart: fc.constantFrom('no' as const, 'always' as const, 'unless-stopped' as const, 'on-failure' as const),
            retries: fc.oneof(fc.constant(''), fc.constant('5')),
            memory: fc.constantFrom('', '64m', '1.5g'),
            cpus: fc.constantFrom('', '0.5', '2'),
            user: typed,
            workdir: fc.oneof(fc.constant(''), path),
            hostname: typed,
            network: typed,
            privileged: fc.boolean(),
            capabilitiesAdded: fc.array(word, { maxLength: 2 }),
            capabilitiesDropped: fc.array(word, { maxLength: 2 }),
            hosts: fc.array(word, { maxLength: 2 }),
            devices: fc.array(fc.constantFrom('/dev/fuse', '/dev/a:/dev/b:rw', 'vendor.com/gpu=0'), { maxLength: 2 }),
            gpus: fc.constantFrom('', 'all', '2', '"device=0,1"', 'device=GPU-1,capabilities=compute'),
            ulimits: fc.array(fc.constantFrom('nofile=1024:2048', 'core=-1'), { maxLength: 2 }),
            sysctls: fc.array(fc.constantFrom('net.core.somaxconn=512', 'net.ipv4.ip_local_port_range=1024 65535'), { maxLength: 2 }),
            security: fc.array(fc.constantFrom('no-new-privileges', 'seccomp=unconfined', 'label=type:a b'), { maxLength: 2 }),
            dns: fc.array(fc.constantFrom('1.1.1.1', '2606:4700::1'), { maxLength: 2 }),
            dnsSearch: fc.array(fc.constantFrom('.', 'corp.example'), { maxLength: 2 }),
            dnsOptions: fc.array(fc.constantFrom('ndots:2', 'rotate'), { maxLength: 2 }),
            logDriver: fc.constantFrom('', 'json-file', 'none'),
            logOptions: fc.array(fc.constantFrom('max-size=10m', "tag={{.Name}} it's"), { maxLength: 2 }),
            noHealth: fc.boolean(),
            healthCommand: value,
            healthInterval: fc.constantFrom('', '30s', '1m30s'),
            healthTimeout: fc.constantFrom('', '500ms'),
            healthRetries: fc.constantFrom('', '3'),
            healthStartPeriod: fc.constantFrom('', '1h'),
            healthStartInterval: fc.constantFrom('', '5s'),
            init: fc.boolean(),
            readOnly: fc.boolean(),
            interactive: fc.boolean(),
            terminal: fc.boolean(),
            remove: fc.boolean(),
            publishAll: fc.boolean(),
            pull: fc.constantFrom('missing' as const, 'always' as const, 'never' as const),
            platform: fc.constantFrom('', 'linux/arm64'),
            others: fc.array(fc.constantFrom(['--ipc', 'host'], ['--oom-kill-disable'], ['--cpuset-cpus', '0-1']), { maxLength: 2 }),
        })
        .map((made) => ({ ...made, retries: made.restart === 'on-failure' ? made.retries : '' }));

    it('reads what it wrote, on one line or many', () => {
        fc.assert(
            fc.property(form, fc.boolean(), (made, broken) => {
                expect(parseLine(lineOf(made, { broken }))).toEqual({ form: made, problems: [] });
            }),
            { numRuns: 600 },
        );
    });

    it('survives any text', () => {
        fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parseLine(`docker run ${text}`)));
    });
});
