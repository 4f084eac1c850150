export { consumerOptions, consumerSectionFaults, type ConsumerOptions } from './consumer-options.ts'
export { readGatewayFile, type GatewayFile } from './read-gateway-file.ts'
