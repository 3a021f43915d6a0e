-- AlterTable
ALTER TABLE "AlertFilter" ADD COLUMN "chain" TEXT;

-- CreateIndex
CREATE INDEX "AlertFilter_chain_idx" ON "AlertFilter"("chain");
