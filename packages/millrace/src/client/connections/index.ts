export { parseAddress, type BrokerAddress } from './address.ts'
export { Connection, type RequestOptions } from './connection.ts'
export { ConnectionPool, type Purpose } from './connection-pool.ts'
export type { Dial, TlsOptions } from './dial.ts'
