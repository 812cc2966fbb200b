// The part of noise-properties.mjs that the scripts use.

import type { Property } from './differential.mjs';

export declare const NOISE_PROPERTIES: Property[];
