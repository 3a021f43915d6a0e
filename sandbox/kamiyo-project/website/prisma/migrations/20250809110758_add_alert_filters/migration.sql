-- CreateTable
CREATE TABLE "AlertFilter" (
    "id" TEXT NOT NULL,
    "userId" TEXT NOT NULL,
    "minAmountUsd" DOUBLE PRECISION NOT NULL DEFAULT 0,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "AlertFilter_pkey" PRIMARY KEY ("id")
);

-- AddForeignKey
ALTER TABLE "AlertFilter" ADD CONSTRAINT "AlertFilter_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE;
