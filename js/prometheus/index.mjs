import api from './index.cjs';

export const { collectMetrics } = api;
