// The form as the line of `docker run` that does the same.
import type { MountLine, PortLine, RunForm } from './form';
import { join, quote, split } from './shell';

/** Words of the line, each flag with its value together. */
export function wordsOf(form: RunForm): string[][] {
    const words: string[][] = [];
    const flag = (name: string, value: string) => {
        if (value !== '') words.push([name, value]);
    };
    const on = (name: string, is: boolean) => {
        if (is) words.push([name]);
    };
    words.push(['-d']);
    on('-i', form.interactive);
    on('-t', form.terminal);
    on('--rm', form.remove);
    flag('--name', form.name);
    flag('--platform', form.platform);
    if (form.pull !== 'missing') flag('--pull', form.pull);
    if (form.restart !== 'no') flag('--restart', form.restart === 'on-failure' && form.retries !== '' ? `on-failure:${form.retries}` : form.restart);
    on('-P', form.publishAll);
    for (const port of form.ports) if (port.inside !== '') words.push(['-p', publishedAs(port)]);
    for (const { name, value } of form.environment) if (name !== '') words.push(['-e', `${name}=${value}`]);
    for (const mount of form.mounts) if (mount.target !== '') words.push(mountedAs(mount));
    flag('--network', form.network);
    flag('--hostname', form.hostname);
    for (const host of form.hosts) flag('--add-host', host);
    flag('-m', form.memory);
    flag('--cpus', form.cpus);
    flag('-u', form.user);
    flag('-w', form.workdir);
    flag('--entrypoint', form.entrypoint);
    on('--init', form.init);
    on('--read-only', form.readOnly);
    on('--privileged', form.privileged);
    for (const capability of form.capabilitiesAdded) flag('--cap-add', capability);
    for (const capability of form.capabilitiesDropped) flag('--cap-drop', capability);
    for (const device of form.devices) flag('--device', device);
    flag('--gpus', form.gpus);
    for (const limit of form.ulimits) flag('--ulimit', limit);
    for (const sysctl of form.sysctls) flag('--sysctl', sysctl);
    for (const option of form.security) flag('--security-opt', option);
    for (const server of form.dns) flag('--dns', server);
    for (const domain of form.dnsSearch) flag('--dns-search', domain);
    for (const option of form.dnsOptions) flag('--dns-option', option);
    flag('--log-driver', form.logDriver);
    for (const option of form.logOptions) flag('--log-opt', option);
    on('--no-healthcheck', form.noHealth);
    flag('--health-cmd', form.healthCommand);
    flag('--health-interval', form.healthInterval);
    flag('--health-timeout', form.healthTimeout);
    flag('--health-retries', form.healthRetries);
    flag('--health-start-period', form.healthStartPeriod);
    flag('--health-start-interval', form.healthStartInterval);
    for (const { name, value } of form.labels) if (name !== '') words.push(['-l', value === '' ? name : `${name}=${value}`]);
    for (const other of form.others) words.push([...other]);
    return words;
}

/** The whole line; `broken` puts each flag on a line of its own. */
export function lineOf(form: RunForm, { broken = false }: { broken?: boolean } = {}): string {
    const words = wordsOf(form);
    // The first few switches are short: they stay beside the command.
    const from = words.findIndex((flag) => flag.length > 1);
    const first = words.slice(0, from === -1 ? words.length : from);
    const parts = [join(['docker', 'run', ...first.flat()]), ...words.slice(first.length).map(joined)];
    const image = form.image === '' ? 'IMAGE' : quote(form.image);
    const { words: command } = split(form.command);
    parts.push(command.length === 0 ? image : `${image} ${join(command)}`);
    return parts.join(broken ? ' \\\n  ' : ' ');
}

/** A value that looks like a flag, or is empty, has to stick to its own. */
function joined([name = '', ...values]: readonly string[]): string {
    const [value] = values;
    if (values.length === 1 && value !== undefined && (value.startsWith('-') || value === '') && name.startsWith('--')) return quote(`${name}=${value}`);
    return join([name, ...values]);
}

export function publishedAs({ address, outside, inside, protocol }: PortLine): string {
    const host = address.includes(':') ? `[${address}]` : address;
    const before = host !== '' ? `${host}:${outside}:` : outside !== '' ? `${outside}:` : '';
    return `${before}${inside}${protocol === 'tcp' ? '' : `/${protocol}`}`;
}

function mountedAs({ kind, source, target, readOnly, options }: MountLine): string[] {
    if (kind === 'tmpfs') {
        const all = [options, readOnly ? 'ro' : ''].filter((part) => part !== '').join(',');
        return ['--tmpfs', all === '' ? target : `${target}:${all}`];
    }
    // A colon in a path cannot be said in the short form.
    if (source.includes(':') || target.includes(':')) {
        const parts = [`type=${kind}`, ...(source === '' ? [] : [`source=${source}`]), `target=${target}`, ...(readOnly ? ['readonly'] : [])];
        return ['--mount', parts.map(csv).join(',')];
    }
    const all = [readOnly ? 'ro' : '', options].filter((part) => part !== '').join(',');
    return ['-v', [...(source === '' ? [] : [source]), target, ...(all === '' || source === '' ? [] : [all])].join(':')];
}

const csv = (field: string) => (/[",\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field);
