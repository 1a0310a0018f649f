// All texts that a person reads, by area. A second language is a second value
// of the same type.
import { app } from './app';
import { container } from './container';
import { containers } from './containers';

export const text = { app, containers, container } as const;
