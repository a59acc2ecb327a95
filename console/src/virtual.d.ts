declare module "virtual:zones" {
  const lines: string[];
  export default lines;
}
