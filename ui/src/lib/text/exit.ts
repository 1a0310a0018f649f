// The words for why a container exited: for each cause a sentence, and what
// helps.
import type { Cause, Evidence } from '$lib/containers/exit';
import { memorySize } from '$lib/format/units';

const of = (subject: string, otherwise: string) => (subject === '' ? otherwise : `“${subject}”`);
const limit = (bytes: string) => (Number(bytes) > 0 ? `its limit of ${memorySize(Number(bytes))}` : 'what this machine has');

export const exit: {
    readonly title: string;
    readonly remedy: string;
    readonly evidence: string;
    readonly cause: Record<Cause, (subject: string) => string>;
    readonly help: Record<Cause, (subject: string) => string>;
    readonly what: Record<Evidence['what'], string>;
    readonly value: (evidence: Evidence) => string;
} = {
    title: 'Why it exited',
    remedy: 'What helps',
    evidence: 'What says so',
    cause: {
        outOfMemory: (bytes) => `It used more memory than ${limit(bytes)}, and the kernel killed it`,
        portTaken: (port) => `Port ${port || 'that it publishes'} is taken on this machine`,
        mountMissing: (path) => `${of(path, 'A folder')} of this machine, which it mounts, is not there`,
        notFound: (program) => `The program ${of(program, 'that it should run')} is not in its image`,
        wrongArchitecture: (program) => `${of(program, 'Its program')} is made for another kind of processor, or is no program`,
        interpreterMissing: (program) => `${of(program, 'Its script')} names an interpreter that is not in its image`,
        notExecutable: (program) => `${of(program, 'Its program')} may not be executed`,
        libraryMissing: (library) => `The library ${of(library, 'that it needs')} is not in its image`,
        diskFull: () => 'The disk is full',
        readOnly: () => 'It wrote where only reading is allowed',
        tooManyProcesses: () => 'It wanted more processes than it may have',
        tooManyFiles: () => 'It opened more files than it may',
        unhealthy: () => 'It runs, but its health check fails',
        crashedInCode: (signal) => `A bug in its program crashed it (${signal})`,
        aborted: () => 'Its program gave up on an error that it found in itself (SIGABRT)',
        killed: () => 'It was killed (SIGKILL), and not for its memory',
        stopped: () => 'It was asked to stop, and did',
        interrupted: () => 'It was interrupted, as by Ctrl-C',
        otherSignal: (signal) => `${signal} ended it`,
        noInput: (shell) => `${of(shell, 'A shell')} was started without a terminal, found no input, and was done`,
        addressInUse: (port) => `Its program wants port ${port || 'a port'}, which something in the same network has`,
        permission: () => 'Its program was not allowed to do something',
        nameNotResolved: () => 'It looked for a name that does not exist',
        refused: (address) => `${of(address, 'What it depends on')} did not accept its connection`,
        finished: () => 'Its work was done',
        startFailed: () => 'The engine could not start it',
        failed: (code) => `Its program ended with failure ${code}`,
    },
    help: {
        outOfMemory: (bytes) => (Number(bytes) > 0 ? 'Give it more (--memory), or make the program use less.' : 'Free memory on this machine, or limit what others use.'),
        portTaken: () => 'Stop what has it, or publish another port of this machine.',
        mountMissing: () => 'Make the folder, or correct the path. A --mount does not make it; -v does.',
        notFound: () => 'Correct the command, or use an image that has it. Names are looked for in PATH of the image.',
        wrongArchitecture: () => 'Use the image for this platform (--platform), or build it for it. A script needs a first line such as #!/bin/sh.',
        interpreterMissing: () => 'Install the interpreter in the image, or correct the script’s first line. Line ends of Windows cause this too.',
        notExecutable: () => 'Make the file executable in the image (chmod +x), and see that it is a file, on a mount that allows programs.',
        libraryMissing: () => 'Install it in the image, or build on the same base as the program was made for.',
        diskFull: () => 'Remove what is not used any more: stopped containers, images, volumes.',
        readOnly: () => 'Mount a volume there, or leave out --read-only or “:ro”.',
        tooManyProcesses: () => 'Raise --pids-limit, or find what starts so many.',
        tooManyFiles: () => 'Raise the limit (--ulimit nofile), or find what does not close them.',
        unhealthy: () => 'Run the check’s command in a terminal of the container to see more.',
        crashedInCode: () => 'Look for a newer image. A native library made for another processor or C library causes this too.',
        aborted: () => 'Its last lines usually name the check that failed.',
        killed: () => 'Somebody ran kill, or a stop took longer than allowed (--stop-timeout): then it does not react to SIGTERM.',
        stopped: () => 'Nothing: start it when it is needed again.',
        interrupted: () => 'Nothing: start it when it is needed again.',
        otherSignal: () => 'Find who sent it: the program itself, or somebody with kill.',
        noInput: () => 'Run it with a terminal (-it), or give it a command that goes on.',
        addressInUse: () => 'Let one of them use another port, or do not share the network.',
        permission: () => 'Often the user of the image and the owner of a mounted folder differ: compare both.',
        nameNotResolved: () => 'Both have to be in the same network (not the default one) for names to work; check the spelling.',
        refused: () => 'It may not be up yet, or listen elsewhere: let this one wait until it is healthy.',
        finished: () => 'Nothing. If it should have gone on: its command ended without an error.',
        startFailed: () => 'The engine’s words say more.',
        failed: () => 'Its last lines usually say why.',
    },
    what: {
        exitCode: 'Exit code',
        signal: 'Signal',
        oom: 'Kernel',
        limit: 'Memory limit',
        peak: 'Most it had',
        engine: 'Engine',
        log: 'Log',
        probe: 'Check said',
        command: 'Command',
        platform: 'This machine',
        restarts: 'Restarted',
        ran: 'It ran',
    },
    value: ({ what, text }) => {
        if (what === 'limit') return Number(text) > 0 ? memorySize(Number(text)) : 'none';
        if (what === 'peak') return memorySize(Number(text));
        if (what === 'oom') return 'killed it for memory (OOM)';
        if (what === 'restarts') return text === '1' ? 'once' : `${text} times`;
        if (what === 'ran') return Number(text) < 1 ? 'less than a second' : `${Math.round(Number(text))} s`;
        return text;
    },
};
