import type { Property } from './differential.mjs';

export declare const CODEC_PROPERTIES: Property[];
