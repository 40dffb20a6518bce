/** Prisma 7 takes its settings from here; making the client connects to nothing. */
const config = { schema: 'schema.prisma' };
export default config;
