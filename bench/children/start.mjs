// Measures the memory of a process that has loaded Baileys and does nothing.

import 'baileys';
import { runMeasurement } from '../lib/client.mjs';
import { residentBytes } from '../lib/resident.mjs';

await runMeasurement(async () => ({ rss: await residentBytes() }));
