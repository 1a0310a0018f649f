// All texts that a person reads, by area. A second language is a second value
// of the same type.
import { activity } from './activity';
import { app } from './app';
import { configuration } from './configuration';
import { container } from './container';
import { containers } from './containers';
import { exit } from './exit';
import { images } from './images';
import { list } from './list';
import { networks } from './networks';
import { onboarding } from './onboarding';
import { registries } from './registries';
import { run } from './run';
import { help, settings } from './settings';
import { volumes } from './volumes';

export const text = { app, containers, container, exit, list, images, volumes, networks, run, registries, onboarding, activity, settings, configuration, help } as const;
