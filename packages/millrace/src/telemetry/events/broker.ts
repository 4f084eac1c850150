export const brokerEvents = {}
