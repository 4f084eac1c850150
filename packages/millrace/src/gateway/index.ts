export { readGatewayFile, type GatewayFile } from './properties/index.ts'
export { startGateway, type Gateway, type StartGatewayOptions } from './server/start-gateway.ts'
export type { GatewayOptions, PropertyValues } from './settings.ts'
export type { Right, RightOptions, UserOptions } from './server/users.ts'
