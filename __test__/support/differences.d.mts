/** A known difference between the codec or the noise handler of Baileys and ours. */
export interface Difference {
  id: string;
  /** Names of the properties of the differential tests. */
  properties: string[];
  status: string;
  reason: string;
  applies(context: any): unknown;
  /** Our outcome; without it, ours is not compared. */
  expected?(context: any): unknown;
}

export declare const DIFFERENCES: Difference[];
