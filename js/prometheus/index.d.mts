/**
 * Registers what `metrics()` has with a registry of `prom-client`, which is to be installed beside this package. Names
 * begin with `baileys_native_`; docs/observation.md has them all. Nothing is counted or kept for it: each scrape reads
 * one snapshot. To be called once a registry, in one thread of the process.
 *
 * @param options.register Default: prom-client's own.
 * @throws {Error} where it has been called for the registry before, there is no `prom-client`, or the addon cannot be
 * loaded (`code` is `ERR_NATIVE_UNAVAILABLE`).
 */
export declare function collectMetrics(options?: { register?: { registerMetric(metric: any): void } }): void;
