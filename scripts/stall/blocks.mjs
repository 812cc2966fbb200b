/** The tag of the last stanza that a client writes before it blocks its event loop. */
export const BLOCKS = 'blocks';
