export const clientEvents = {}
