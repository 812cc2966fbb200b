export const NOISE_PROPERTIES = [];
