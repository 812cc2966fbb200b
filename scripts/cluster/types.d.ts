// The part of `pg` that the cluster test uses. The package has no types.

declare module 'pg' {
  class Client {
    constructor(options: { connectionString: string });
    connect(): Promise<void>;
    end(): Promise<void>;
    query(text: string): Promise<{ rows: Record<string, any>[] }>;
  }

  const pg: { Client: typeof Client };
  export default pg;
}
