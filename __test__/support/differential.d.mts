// The part of differential.mjs that the scripts use.

/** A release line of Baileys; see `loadLine` of baileys-lines.mjs. */
export interface Line {
  name: string;
}

/** A property in which this package must agree with Baileys. */
export interface Property {
  name: string;
  title: string;
  /** The default number of inputs. */
  runs: number;
  /** Arbitraries of fast-check. */
  inputs(line: Line): any;
  /** The outcomes of Baileys and of this package for an input. */
  run(line: Line, input: any): Promise<{ theirs: unknown; ours: unknown }>;
}

/** A failed input, as the corpora store it. */
export interface CorpusEntry {
  property: string;
  line: string;
  input: unknown;
}

export declare function explore(
  property: Property,
  line: Line,
  options: { seed: number; path?: string; runs?: number; milliseconds?: number }
): Promise<{
  runs: number;
  /** The known difference of each input, if there is one. */
  known?: (string | undefined)[];
  failure?: { report: string; entry: CorpusEntry };
}>;

/** The known differences of some properties, one line of text for each. */
export declare function knownDifferences(properties: string[]): string[];

export declare const SEED: number;
