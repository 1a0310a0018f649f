// All texts that a person reads, by area. A second language is a second value
// of the same type.
import { app } from './app';
import { container } from './container';
import { containers } from './containers';
import { exit } from './exit';

export const text = { app, containers, container, exit } as const;
